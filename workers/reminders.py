"""The planner of reminders: a few statements for all accounts, safe to run twice at once or to die half-way."""

from __future__ import annotations

from db import reminders
from db.pool import Database
from rules.reminders import due


async def plan_due(database: Database, thresholds: tuple[int, ...]) -> int:
    """Record the reminders and ends of grace periods that are due; return how many were new."""
    planned = 0
    async with database.transaction() as connection:
        running = await reminders.running(connection, max(thresholds, default=0))
        wanted = [
            (account, reminder.threshold_days, reminder.days_left)
            for account in running
            if (reminder := due(thresholds, account.deadline, account.announced_at, account.now))
        ]
        if wanted:
            planned += await reminders.remind(connection, wanted)
    while True:
        async with database.transaction() as connection:
            ended = await reminders.end_grace_periods(connection)
        planned += ended
        if ended < reminders.AT_ONCE:
            return planned
