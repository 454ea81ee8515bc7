"""The people and instants of sample events: Mia of Riverbend Studio, on a Tuesday in November."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from rules.clients import Client

ACCOUNT_ID, MIA_ID, ADMIN_ID = UUID(int=1), UUID(int=2), UUID(int=3)
CLIENT = Client("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "203.0.113.7")
FILLED_IN = {"account_id": ACCOUNT_ID, "subject_id": MIA_ID, "client": CLIENT}

AT = datetime(2026, 11, 24, 14, 3, tzinfo=UTC)
IN_A_QUARTER_OF_AN_HOUR = AT + timedelta(minutes=15)
IN_AN_HOUR = AT + timedelta(hours=1)
IN_A_WEEK = AT + timedelta(days=7)
IN_TWO_WEEKS = AT + timedelta(days=14)
# A requirement of three days ago, whose deadline was moved from the future into the past.
EARLIER = tuple(datetime(2026, month, day, 9, 30, tzinfo=UTC) for month, day in ((11, 21), (11, 22), (12, 5)))
