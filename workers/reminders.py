"""Reminders that are due, recorded by a few statements for all accounts, safe to run twice at once or to die half-way.

Most people stand by their account's deadline, and are told of it by one event an account; whoever has a deadline of
their own is told by an event of their own.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import partial

import db.outbox
import db.own_reminders
import db.reminders
import rules.policy
import rules.reminders
import workers.steps
from db.own_reminders import OwnDeadline
from db.pool import Connection, Database
from rules.events.policy import GracePeriodEnded, GraceReminderSent
from rules.policy import DAY
from rules.reminders import END_IS_TOLD_WITHIN, Reminder


async def remind(database: Database, thresholds: tuple[int, ...]) -> int:
    """Record the reminders and ends of grace periods that are due; return how many were new.

    What fails keeps no other from being recorded, the first is raised after; own deadlines may be a million's.
    """
    return await workers.steps.each(
        partial(_remind, database, thresholds),
        partial(_end_grace_periods, database),
        partial(_remind_of_own, database, thresholds),
    )


async def _remind(database: Database, thresholds: tuple[int, ...]) -> int:
    async with database.transaction() as connection:
        running = await db.reminders.running(connection, max(thresholds, default=0))
        wanted = [
            (account, reminder)
            for account in running
            if (reminder := rules.reminders.due(thresholds, account.deadline, account.announced_at, account.now))
        ]
        due = [(account, reminder.threshold_days) for account, reminder in wanted]
        claimed = await db.reminders.claim(connection, due)
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
        await db.outbox.append_all(connection, events)
        return len(events)


async def _end_grace_periods(database: Database) -> int:
    recorded = 0
    while True:
        async with database.transaction() as connection:
            ended = await db.reminders.end_grace_periods(connection)
            await db.outbox.append_all(connection, [GracePeriodEnded(**asdict(each)) for each in ended])
        recorded += len(ended)
        if len(ended) < db.reminders.AT_ONCE:
            return recorded


async def _remind_of_own(database: Database, thresholds: tuple[int, ...]) -> int:
    recorded, ahead = 0, max(thresholds, default=0) * DAY
    for near_some in (db.own_reminders.near_by_exception, db.own_reminders.near_by_joining):
        last: OwnDeadline | None = None
        while True:
            # Some thousands a transaction: what is claimed stays claimed, and nobody is kept waiting for the rest.
            async with database.transaction() as connection:
                near = await near_some(connection, END_IS_TOLD_WITHIN, ahead, last)
                recorded += await _remind_these(connection, near, thresholds)
            if len(near) < db.own_reminders.AT_ONCE:
                break
            last = near[-1]
    return recorded


async def _remind_these(connection: Connection, near: list[OwnDeadline], thresholds: tuple[int, ...]) -> int:
    wanted = [(own, reminder) for own in near if (reminder := _own_due(own, thresholds))]
    claimed = await db.own_reminders.claim(connection, [(own, reminder.threshold_days) for own, reminder in wanted])
    events = [_told(own, reminder) for own, reminder in wanted if (own.account_id, own.user_id) in claimed]
    await db.outbox.append_all(connection, events)
    return len(events)


def _own_due(own: OwnDeadline, thresholds: tuple[int, ...]) -> Reminder | None:
    """The reminder that is due; the one of 0 days tells the end, or that of the exemption that came before it."""
    if own.exempted_until is not None:
        return Reminder(0, rules.policy.days_remaining(own.deadline, own.now))
    return (
        Reminder(0, 0)
        if own.deadline <= own.now
        else rules.reminders.due(thresholds, own.deadline, own.announced_at, own.now)
    )


def _told(own: OwnDeadline, reminder: Reminder) -> GraceReminderSent | GracePeriodEnded:
    if reminder.days_left == 0:
        return GracePeriodEnded(
            account_id=own.account_id,
            subject_id=own.user_id,
            required_since=own.required_since,
            deadline=own.deadline,
        )
    return GraceReminderSent(
        account_id=own.account_id,
        subject_id=own.user_id,
        required_since=own.required_since,
        deadline=own.deadline,
        days_left=reminder.days_left,
    )
