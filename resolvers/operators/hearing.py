"""What an account's owners and admins hear, in which language, and where its staff are signed in."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import db.alerts
import db.given
import db.languages
import db.outbox
import db.sessions
import db.users
import resolvers.operators.finding
import rules.alerts
import rules.events.alerts
from db.pool import Database
from db.sessions import Session
from resolvers.operators.finding import OperatorError
from rules.alerts import AlertKind, AlertSetting, Wish
from rules.events.languages import AccountLanguageChanged
from rules.events.staff import StaffSessionEnded
from rules.languages import ENGLISH

NO_SESSION_OF_OURS = UUID(int=0)


async def alerts(database: Database, account_id: UUID) -> list[AlertSetting]:
    """The setting of every kind. Raises OperatorError."""
    async with database.connection() as connection:
        await resolvers.operators.finding.keep_account(connection, account_id)
        return rules.alerts.whole(await db.alerts.settings(connection, account_id))


async def set_alerts(database: Database, account_id: UUID, wanted: dict[AlertKind, Wish]) -> list[AlertSetting]:
    """Let these kinds be as wished, the others as they are; owners are emailed of a change. Raises OperatorError."""
    async with database.transaction() as connection:
        await resolvers.operators.finding.lock_account(connection, account_id)
        held = rules.alerts.whole(await db.alerts.settings(connection, account_id))
        now = [wanted[each.kind].over(each) if each.kind in wanted else each for each in held]
        if now != held:
            await db.alerts.save(connection, account_id, now)
            await db.outbox.append(connection, rules.events.alerts.changed(now, account_id, None))
    return now


async def set_language(database: Database, account_id: UUID, language: str) -> None:
    """Let emails to whoever has chosen none, and channels, be in this language. Raises OperatorError."""
    async with database.transaction() as connection:
        await resolvers.operators.finding.lock_account(connection, account_id)
        before = await db.languages.of_account(connection, account_id) or ENGLISH
        if await db.languages.set_of_account(connection, account_id, language) and before != language:
            await db.outbox.append(connection, AccountLanguageChanged(account_id=account_id, language=language))


async def sessions(database: Database, account_id: UUID, email: str, idle: timedelta) -> list[Session]:
    """The live sessions of a staff member, newest use first. Raises OperatorError."""
    async with database.connection() as connection:
        user_id = await resolvers.operators.finding.member(connection, account_id, email)
        return await db.sessions.live(connection, user_id, NO_SESSION_OF_OURS, idle)


async def end_session(database: Database, account_id: UUID, email: str, session_id: UUID) -> None:
    """End one of a staff member's sessions, and what they gave or asked for; they are emailed. Raises OperatorError."""
    async with database.transaction() as connection:
        user_id = await resolvers.operators.finding.member(connection, account_id, email)
        await db.given.lock(connection, [user_id])
        if not await db.sessions.end_of(connection, user_id, session_id):
            raise OperatorError(f"{email} has no live session with the id {session_id}.")
        await db.given.take_back(connection, user_id, None)
        await db.outbox.append(connection, StaffSessionEnded(account_id=account_id, subject_id=user_id))
