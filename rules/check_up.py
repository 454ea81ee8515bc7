"""The yearly check-up: whoever has shown no code of their app for a year is asked for one, and kept from nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rules.totp import STEP_S

CHECK_UP_EVERY = timedelta(days=365)
TITLE = "Does your authenticator app still work?"
MESSAGE = (
    "You have shown no code of it for a year. Enter one now, as long as you are signed in: better to find out here "
    "than at the next sign-in."
)
ACTION_LABEL = "Check code"


@dataclass(frozen=True)
class CheckUp:
    """What somebody is asked; `proved_at` is when their app has shown a code last."""

    proved_at: datetime


def due(enabled_at: datetime | None, last_step: int, now: datetime) -> CheckUp | None:
    """The check-up that is due: the spent step tells when the app has shown a code last, and enabling is one, too."""
    if enabled_at is None:
        return None
    proved_at = max(enabled_at, datetime.fromtimestamp(last_step * STEP_S, UTC))
    return CheckUp(proved_at) if now - proved_at >= CHECK_UP_EVERY else None
