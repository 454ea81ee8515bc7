"""Resets of MFA that nobody has approved in time."""

from __future__ import annotations

import db.resets
from db.pool import Database


async def expire_resets(database: Database) -> int:
    """End them; return how many."""
    async with database.transaction() as connection:
        return await db.resets.tell_expired(connection)
