"""Account recovery: coming back alone without the second factor, after days in which it can be stopped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.failures import InvalidInput

LEAST_DAYS, MOST_DAYS = 1, 7
TOLD_EVERY = timedelta(hours=24)
# Nobody's is carried out whom the last mail has told of it longer ago: they may have stopped it in what was lost since.
TOLD_LATELY = timedelta(hours=25)
# One that no mail could tell of for so long after its end is ended, a day after the person was last to be told: a
# mailbox that takes none would be told for ever.
GIVEN_UP_AFTER = timedelta(days=7)
NOT_OFFERED = (
    "You cannot come back alone: an account that you belong to does not allow it. Ask an owner or admin to reset "
    "your MFA."
)
BEGINS_OTHERWISE = "Account recovery begins with your password. Sign in with it, then ask again."


@dataclass(frozen=True)
class Delays:
    """How many days whoever has which role waits."""

    owner_days: int
    admin_days: int
    member_days: int


@dataclass(frozen=True)
class Seen:
    """What somebody has seen of what an account allows: these delays, or that nobody may (None)."""

    delays: Delays | None


@dataclass(frozen=True)
class Recovery:
    """What waits for somebody: since when, and when their MFA is reset."""

    started_at: datetime
    ends_at: datetime


def check(delays: Delays) -> None:
    """Raises InvalidInput unless each is 1 to 7 days."""
    named = {"ownerDays": delays.owner_days, "adminDays": delays.admin_days, "memberDays": delays.member_days}
    for name, days in named.items():
        if not LEAST_DAYS <= days <= MOST_DAYS:
            raise InvalidInput(name, f"The wait must be {LEAST_DAYS} to {MOST_DAYS} days.")
