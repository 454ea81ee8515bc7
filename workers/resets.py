"""Resets of MFA that nobody has approved in time."""

from __future__ import annotations

import db.resets
from db.pool import Database


async def expire_resets(database: Database) -> int:
    """End them; return how many."""
    async with database.transaction() as connection:
        ended = await db.resets.expire(connection)
        await db.resets.tell(connection, ended)
    return len(ended)
