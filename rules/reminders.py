"""Which reminder of an account's deadline is due: a few days before it, each threshold once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import rules.policy
from rules.policy import DAY

# A person is reminded by hand no more often than this.
REMINDED_AGAIN_AFTER = timedelta(hours=24)


@dataclass(frozen=True)
class Reminder:
    """A reminder to send now: for which threshold, and how many days are left in truth."""

    threshold_days: int
    days_left: int


# How long after it has passed somebody is still told that a deadline of their own has.
END_IS_TOLD_WITHIN = DAY


def due(thresholds: Iterable[int], deadline: datetime, announced_at: datetime, now: datetime) -> Reminder | None:
    """The latest due reminder by `thresholds`, in days before the deadline; None when there is none to send.

    One that was missed by a later one is never sent, and one that falls on the day of an announcement is covered by
    it. From the deadline on it is the end of the grace period that is told, not a reminder.
    """
    reached = [days for days in thresholds if deadline - days * DAY <= now]
    if not reached or now >= deadline:
        return None
    latest = min(reached)
    if deadline - latest * DAY < announced_at + DAY:
        return None
    return Reminder(latest, rules.policy.days_remaining(deadline, now))
