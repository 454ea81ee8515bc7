"""What is sealed, apart from the sealing: whoever only hands it on loads no cryptography, which takes 6 MiB."""

from __future__ import annotations

from dataclasses import dataclass

NONCE_BYTES = 12


class KeyMissingError(Exception):
    """What was sealed needs a key, or was tampered with: nobody's input error."""


@dataclass(frozen=True)
class Sealed:
    """A nonce and ciphertext, and the id of the ring key they were made with."""

    data: bytes
    key_id: str
