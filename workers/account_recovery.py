"""Account recoveries: told of each day, ended where none may go on, and carried out once they are over."""

from __future__ import annotations

from uuid import UUID

import db.account_recovery
import db.factors
import db.given
import db.outbox
import db.person_reset
from db.account_recovery import Reminded
from db.pool import Database
from rules.events.account_recovery import AccountRecoveryCompleted, AccountRecoveryReminded, AccountRecoveryStopped


async def carry_on(database: Database) -> int:
    """Do what is due now; return for how many people something was. Safe to run twice at once."""
    async with database.transaction() as connection:
        lapsed = await db.account_recovery.lapse(connection)
        stopped = [AccountRecoveryStopped.by_itself(each.user_id, each.was_unreached) for each in lapsed]
        await db.outbox.append_all(connection, stopped)
    # First, so that a sweep after a standstill tells those whom it would else carry out.
    async with database.transaction() as connection:
        reminded = await db.account_recovery.remind(connection)
        await db.outbox.append_all(connection, [event for each in reminded for event in _told(each)])
    return len(lapsed) + len(reminded) + await _complete_due(database)


def _told(reminded: Reminded) -> list[AccountRecoveryReminded]:
    """One for each account, whose owners are told, too; the person is mailed of the first of them alone."""
    return [
        AccountRecoveryReminded(
            account_id=account_id,
            subject_id=reminded.user_id,
            subject_email=reminded.email,
            until=reminded.ends_at,
            is_mailed=account_id == reminded.account_ids[0],
        )
        for account_id in reminded.account_ids
    ]


async def _complete_due(database: Database) -> int:
    completed = 0
    while True:
        async with database.connection() as connection:
            due = await db.account_recovery.due(connection)
        for user_id in due:
            completed += await _complete(database, user_id)
        if len(due) < db.account_recovery.AT_ONCE:
            return completed


async def _complete(database: Database, user_id: UUID) -> bool:
    """Reset the person, unless it was stopped meanwhile: of the two the database lets one happen."""
    async with database.transaction() as connection:
        await db.given.lock(connection, [user_id])
        if not await db.account_recovery.take(connection, user_id):
            return False
        await db.factors.remove(connection, user_id)
        await db.person_reset.end_everything(connection, user_id, user_id)
        await db.outbox.append(connection, AccountRecoveryCompleted(subject_id=user_id))
    return True
