"""The planner of reminders: a few statements for all accounts, safe to run twice at once or to die half-way."""

from __future__ import annotations

from dataclasses import asdict

from db import outbox, reminders
from db.pool import Connection, Database
from rules.events.policy import GracePeriodEnded, GraceReminderSent
from rules.reminders import due


async def plan_due(database: Database, thresholds: tuple[int, ...]) -> int:
    """Record the reminders and ends of grace periods that are due; return how many were new."""
    async with database.transaction() as connection:
        planned = await _remind(connection, thresholds)
    while True:
        async with database.transaction() as connection:
            ended = await reminders.end_grace_periods(connection)
            await outbox.append_all(connection, [GracePeriodEnded(**asdict(each)) for each in ended])
        planned += len(ended)
        if len(ended) < reminders.AT_ONCE:
            return planned


async def _remind(connection: Connection, thresholds: tuple[int, ...]) -> int:
    running = await reminders.running(connection, max(thresholds, default=0))
    wanted = [
        (account, reminder)
        for account in running
        if (reminder := due(thresholds, account.deadline, account.announced_at, account.now))
    ]
    claimed = await reminders.claim(connection, [(account, reminder.threshold_days) for account, reminder in wanted])
    events = [
        GraceReminderSent(
            account_id=account.account_id,
            required_since=account.required_since,
            deadline=account.deadline,
            days_left=reminder.days_left,
        )
        for account, reminder in wanted
        if account.account_id in claimed
    ]
    await outbox.append_all(connection, events)
    return len(events)
