"""The key ring: TOTP secrets sealed with AES-256-GCM, backup codes digested with HMAC-SHA-256.

Every purpose has its own key, derived by HKDF from a ring key. Sealing binds purpose, owner and key id, so that a
sealed secret moved to another person or purpose does not open.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from rules.sealed import NONCE_BYTES, KeyMissingError, Sealed


@dataclass(frozen=True)
class KeyRing:
    """Ring keys of 32 bytes by id, newest first: the newest seals, all open."""

    keys: dict[str, bytes]

    @property
    def newest(self) -> str:
        """The id of the key that seals."""
        return next(iter(self.keys))

    def seal(self, plain: bytes, purpose: str, owner: UUID, nonce: bytes) -> Sealed:
        """Seal under the newest key; `nonce` is 12 fresh random bytes."""
        key_id = self.newest
        cipher = AESGCM(_derive(self.keys[key_id], purpose))
        return Sealed(nonce + cipher.encrypt(nonce, plain, _binding(purpose, owner, key_id)), key_id)

    def open(self, sealed: Sealed, purpose: str, owner: UUID) -> bytes:
        """Open what `seal` made for the same purpose and owner. Raises KeyMissingError."""
        key = self._key(sealed.key_id)
        nonce, data = sealed.data[:NONCE_BYTES], sealed.data[NONCE_BYTES:]
        try:
            return AESGCM(_derive(key, purpose)).decrypt(nonce, data, _binding(purpose, owner, sealed.key_id))
        except InvalidTag:
            raise KeyMissingError(f"What was sealed under key {sealed.key_id} does not open.") from None

    def authenticate(self, message: bytes, purpose: str, key_id: str) -> bytes:
        """HMAC-SHA-256 of `message` under the ring key `key_id`: 32 bytes. Raises KeyMissingError."""
        return hmac.digest(_derive(self._key(key_id), purpose), message, hashlib.sha256)

    def signer(self, purpose: str, key_id: str) -> Ed25519PrivateKey:
        """The Ed25519 key of this purpose under the ring key `key_id`. Raises KeyMissingError."""
        return Ed25519PrivateKey.from_private_bytes(_derive(self._key(key_id), purpose))

    def _key(self, key_id: str) -> bytes:
        try:
            return self.keys[key_id]
        except KeyError:
            raise KeyMissingError(f"Key {key_id} is not in GATEHOUSE_SECRET_KEYS.") from None


def _binding(purpose: str, owner: UUID, key_id: str) -> bytes:
    return b"\0".join((purpose.encode(), owner.bytes, key_id.encode()))


@cache
def _derive(key: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=f"gatehouse {purpose}".encode()).derive(key)
