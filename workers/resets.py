"""Resets of MFA that nobody has approved in time."""

from __future__ import annotations

from db import outbox, resets
from db.pool import Database
from rules.events.resets import MfaResetExpired


async def expire_resets(database: Database) -> int:
    """End them; return how many."""
    async with database.transaction() as connection:
        ended = await resets.expire(connection)
        expired = [MfaResetExpired(account_id=each.account_id, subject_id=each.user_id) for each in ended]
        if expired:
            await outbox.append_all(connection, expired)
    return len(expired)
