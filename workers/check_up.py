"""The yearly check-up by email: whoever's app has shown no code for a year is asked to show one."""

from __future__ import annotations

import db.check_up
import db.outbox
from db.pool import Database
from rules.events.mfa import CheckUpReminded


async def remind_of_check_ups(database: Database) -> int:
    """Record whom to ask now; return how many. Safe to run twice at once."""
    asked = 0
    while True:
        async with database.transaction() as connection:
            looked_at = await db.check_up.look(connection)
            due = [CheckUpReminded(subject_id=each.user_id) for each in looked_at if each.is_due]
            await db.outbox.append_all(connection, due)
        asked += len(due)
        if len(looked_at) < db.check_up.AT_ONCE:
            return asked
