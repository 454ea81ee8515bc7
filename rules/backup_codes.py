"""Backup codes: 10 of 8 lower-case letters and digits, each good for one sign-in.

Kept as HMAC-SHA-256(server key, argon2id(code, the set's salt)): a stolen database alone is worth no guess.
"""

from __future__ import annotations

import string
from collections.abc import Callable

from argon2.low_level import Type, hash_secret_raw

import rules.typed
from rules.sealing import KeyRing
from rules.slow_hash import HASH_COST, HashCost

COUNT = 10
LENGTH = 8
ALPHABET = string.ascii_lowercase + string.digits
# New codes avoid what is easily taken for something else; older ones may hold it.
NEW_ALPHABET = "".join(c for c in ALPHABET if c not in "0o1li")
SALT_BYTES = 16
PURPOSE = "backup codes"


def generate(random_below: Callable[[int], int]) -> list[str]:
    """Ten different codes; `random_below(n)` gives a secure random number from 0 to n-1."""
    codes: dict[str, None] = {}
    while len(codes) < COUNT:
        codes["".join(NEW_ALPHABET[random_below(len(NEW_ALPHABET))] for _ in range(LENGTH))] = None
    return list(codes)


def normalize(code: str) -> str | None:
    """A typed code as it was given out; None when it cannot be one."""
    text = rules.typed.code(code)
    return text if len(text) == LENGTH and all(c in ALPHABET for c in text) else None


def digest(ring: KeyRing, code: str, salt: bytes, key_id: str, cost: HashCost = HASH_COST) -> bytes:
    """The 32 bytes kept of a code. Slow: keep it off the event loop and out of any lock."""
    hashed = hash_secret_raw(
        code.encode(),
        salt,
        time_cost=cost.passes,
        memory_cost=cost.memory_kib,
        parallelism=1,
        hash_len=32,
        type=Type.ID,
    )
    return ring.authenticate(hashed, PURPOSE, key_id)
