"""The second factor at hand: the time step of a code."""

from __future__ import annotations

from uuid import UUID

from db.factors import Factor
from rules import totp
from rules.sealing import KeyRing

TOTP_PURPOSE = "totp secret"
WRONG_CODE = (
    "That code is not right. Enter the code that your authenticator app shows now; each code works once: wait for the "
    "next if you have used it."
)


def matching_step(ring: KeyRing, factor: Factor, user_id: UUID, code: str) -> int | None:
    """The unspent time step whose code this is. Raises KeyMissingError."""
    secret = ring.open(factor.secret, TOTP_PURPOSE, user_id)
    return totp.matching_step(secret, code, factor.now, factor.last_step)
