"""Which reminder is due when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rules.reminders import Reminder, due

DEADLINE = datetime(2026, 12, 31, 12, tzinfo=UTC)
LONG_AGO = DEADLINE - timedelta(days=30)
SECOND = timedelta(seconds=1)


def before(days: float) -> datetime:
    return DEADLINE - timedelta(days=days)


@pytest.mark.parametrize(
    ("now", "reminder"),
    [
        (before(7) - SECOND, None),
        (before(7), Reminder(7, 7)),
        (before(7) + SECOND, Reminder(7, 7)),
        (before(6.5), Reminder(7, 7)),
        (before(3) - SECOND, Reminder(7, 4)),
        (before(3), Reminder(3, 3)),
        (before(2), Reminder(3, 2)),
        (before(1), Reminder(1, 1)),
        (DEADLINE - SECOND, Reminder(1, 1)),
        (DEADLINE, None),
    ],
)
def test_the_latest_threshold_reached_is_due_until_the_deadline(now: datetime, reminder: Reminder | None) -> None:
    assert due((7, 3, 1), DEADLINE, LONG_AGO, now) == reminder


def test_a_threshold_on_the_day_of_the_announcement_is_covered_by_it() -> None:
    assert due((7, 3, 1), DEADLINE, before(7), before(7)) is None
    assert due((7, 3, 1), DEADLINE, before(3.9), before(3)) is None
    assert due((7, 3, 1), DEADLINE, before(4), before(3)) == Reminder(3, 3)


def test_without_thresholds_nobody_is_reminded() -> None:
    assert due((), DEADLINE, LONG_AGO, before(1)) is None
