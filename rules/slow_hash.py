"""What a slow hash costs, of a password and of a backup code.

It is handed in, and no setting: nobody who runs Gatehouse can make guessing cheaper.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HashCost:
    """The parameters of argon2id, with one lane."""

    passes: int
    memory_kib: int


# OWASP Password Storage Cheat Sheet: m = 19 MiB, t = 2, p = 1. About 20 ms.
HASH_COST = HashCost(passes=2, memory_kib=19 * 1024)
