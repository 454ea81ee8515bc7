"""Bearer tokens: 256 random bits under a prefix, kept only as SHA-256."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode

TOKEN_BYTES = 32
SESSION_PREFIX = "gh_s_"
CHALLENGE_PREFIX = "gh_c_"
LINK_PREFIX = "gh_l_"
RECOVERY_PREFIX = "gh_r_"
SERVICE_PREFIX = "gh_k_"
LONGEST_TOKEN = 100


def make(prefix: str, randomness: bytes) -> str:
    """A token of 32 random bytes under its prefix."""
    return prefix + urlsafe_b64encode(randomness).decode().rstrip("=")


def issue(prefix: str, randomness: bytes) -> tuple[str, bytes]:
    """A token of 32 random bytes under its prefix, and what the database keeps of it."""
    token = make(prefix, randomness)
    return token, hashlib.sha256(token.encode()).digest()


def digest(prefix: str, token: str) -> bytes | None:
    """The 32 bytes that the database keeps of a token; None when it cannot be one of this prefix."""
    if not token.startswith(prefix) or len(token) > LONGEST_TOKEN or not token.isascii():
        return None
    return hashlib.sha256(token.encode()).digest()
