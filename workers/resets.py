"""Resets of MFA that nobody has approved in time."""

from __future__ import annotations

import db.outbox
import db.resets
from db.pool import Database
from rules.events.resets import MfaResetExpired


async def expire_resets(database: Database) -> int:
    """End them; return how many."""
    async with database.transaction() as connection:
        ended = await db.resets.expire(connection)
        expired = [MfaResetExpired(account_id=each.account_id, subject_id=each.user_id) for each in ended]
        if expired:
            await db.outbox.append_all(connection, expired)
    return len(expired)
