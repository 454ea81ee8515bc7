"""The second factor at hand: the time step of a code."""

from __future__ import annotations

from uuid import UUID

from db.factors import Factor
from resolvers.guessing import NotACode
from rules import totp
from rules.sealing import KeyRing

TOTP_PURPOSE = "totp secret"
NO_CODE = "That is no code. Enter the 6 digits that your authenticator app shows now."
WRONG_CODE = (
    "That code is not right. Enter the code that your authenticator app shows now; each code works once: wait for the "
    "next if you have used it."
)


def require_digits(code: str) -> None:
    """Raises NotACode for what no authenticator app shows."""
    if totp.normalize(code) is None:
        raise NotACode(NO_CODE)


def matching_step(ring: KeyRing, factor: Factor, user_id: UUID, code: str) -> int | None:
    """The unspent time step whose code this is. Raises KeyMissingError, NotACode."""
    require_digits(code)
    secret = ring.open(factor.secret, TOTP_PURPOSE, user_id)
    return totp.matching_step(secret, code, factor.now, factor.last_step)
