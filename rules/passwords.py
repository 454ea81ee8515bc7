"""Passwords: argon2id, and what a new one must be.

Parameters: OWASP Password Storage Cheat Sheet (m = 19 MiB, t = 2, p = 1).
"""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 8
MAX_LENGTH = 1000

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# What an unknown email is checked against, so that it costs the same time: the hash of no password.
NOBODYS_HASH = _hasher.hash("\0nobody")


def problem_with(password: str) -> str | None:
    """Say in one sentence why `password` cannot be taken; None when it can."""
    if len(password) < MIN_LENGTH:
        return f"The password must have at least {MIN_LENGTH} characters."
    if len(password) > MAX_LENGTH:
        return f"The password must have at most {MAX_LENGTH:,} characters."
    return None


def hash_password(password: str) -> str:
    """Hash with a new salt. About 20 ms: keep it off the event loop."""
    return _hasher.hash(password)


def matches(password: str, password_hash: str) -> bool:
    """Whether `password` is the one hashed. About 20 ms: keep it off the event loop."""
    if len(password) > MAX_LENGTH:
        password = ""
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


def needs_rehash(password_hash: str) -> bool:
    """Whether the hash was made with lesser parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)
