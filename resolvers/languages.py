"""The language of a person, and that of an account for emails to whoever has chosen none."""

from __future__ import annotations

from uuid import UUID

import db.languages
import db.outbox
import db.policy
import resolvers.access
from resolvers.context import Context
from rules.events.languages import AccountLanguageChanged, LanguageChanged
from rules.failures import NotFound
from rules.languages import ENGLISH


async def of_person(context: Context) -> str | None:
    """The person's choice; None while they have made none. Raises Unauthenticated."""
    person = await context.person()
    async with context.database.connection() as connection:
        return await db.languages.of_person(connection, person.id)


async def choose(context: Context, language: str | None) -> None:
    """Let it be the person's; what already holds is no change. Raises Unauthenticated."""
    person = await context.person()
    async with context.changing(person.id) as connection:
        await resolvers.access.lock_person(connection, person)
        if await db.languages.set_of_person(connection, person.id, language):
            changed = LanguageChanged(subject_id=person.id, actor_id=person.id, language=language)
            await db.outbox.append(connection, changed)


async def of_account(context: Context, account_id: UUID) -> str:
    """The account's, for owners, admins and super-admins. Raises what viewed_account raises."""
    await resolvers.access.viewed_account(context, account_id)
    async with context.database.connection() as connection:
        return await db.languages.of_account(connection, account_id) or ENGLISH


async def set_of_account(context: Context, account_id: UUID, language: str) -> None:
    """Let it be the account's; what already holds is no change. Raises what policy_account raises."""
    person, _ = await resolvers.access.managed_account(context, account_id, to="set its language")
    resolvers.access.require_freshness(person)
    async with context.changing(account_id) as connection:
        if await db.policy.lock(connection, account_id) is None:
            raise NotFound
        await resolvers.access.confirm_manager(connection, person, account_id)
        before = await db.languages.of_account(connection, account_id) or ENGLISH
        if await db.languages.set_of_account(connection, account_id, language) and before != language:
            changed = AccountLanguageChanged(account_id=account_id, actor_id=person.id, language=language)
            await db.outbox.append(connection, changed)
