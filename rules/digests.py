"""When the weekly digest is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

HOUR = 8  # of Monday, in UTC
KEPT_FOR = timedelta(days=60)


def due_since(now: datetime) -> datetime:
    """Since when this week's digest is due: the latest Monday morning."""
    today = now.astimezone(UTC)
    monday = (today - timedelta(days=today.weekday())).replace(hour=HOUR, minute=0, second=0, microsecond=0)
    return monday if monday <= today else monday - timedelta(days=7)
