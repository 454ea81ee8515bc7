"""What housekeeping does of itself, at once."""

from __future__ import annotations

from datetime import timedelta

import db.housekeeping
from db.pool import Connection


async def prune(connection: Connection, session_idle: timedelta = timedelta(days=7)) -> None:
    """Delete what is over."""
    for kind in db.housekeeping.kinds(session_idle):
        await kind(connection)
