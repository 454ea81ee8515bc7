"""The OpenID identities of an account's staff, which whoever may reset a person takes away and allows again."""

from __future__ import annotations

from uuid import UUID

import db.identities
import db.outbox
import db.staff
import resolvers.access
import resolvers.identities
import resolvers.staff
from resolvers.context import Context
from resolvers.identities import Seen
from rules.events.signing_in import IdentityAllowed, IdentityRemoved
from rules.failures import NotFound

NOT_ONESELF = "Remove and allow your own on your own security page."
TO_CHANGE = "decide by which providers its staff sign in"


async def of_member(context: Context, account_id: UUID, staff_id: UUID) -> list[Seen]:
    """The member's identities. Raises what viewed_account raises, and NotFound."""
    await resolvers.access.viewed_account(context, account_id)
    async with context.database.connection() as connection:
        user_id = await db.staff.user_of(connection, account_id, staff_id)
        if user_id is None:
            raise NotFound
        return await resolvers.identities.of_person(context, connection, user_id)


async def remove(context: Context, account_id: UUID, staff_id: UUID, issuer: str) -> None:
    """Take the member's identity at the issuer away; they are emailed. Who has no password sets one by a link.

    Raises what managed_account raises, NotFound, and NotPermitted as for a reset.
    """
    person, _ = await resolvers.access.managed_account(context, account_id, to=TO_CHANGE)
    resolvers.access.require_freshness(person)
    async with context.changing(account_id) as connection:
        member = await resolvers.staff.lock_member(
            connection, person, account_id, staff_id, NOT_ONESELF, takes_back=True
        )
        if not await resolvers.identities.take(connection, member.user_id, issuer, person.id, context.client):
            raise NotFound
        title = resolvers.identities.title_of(context, issuer)
        await db.outbox.append(
            connection,
            IdentityRemoved(account_id=account_id, subject_id=member.user_id, actor_id=person.id, provider=title),
        )


async def allow(context: Context, account_id: UUID, staff_id: UUID, issuer: str) -> None:
    """Let the provider's word link the member again; they are emailed. Raises as `remove`."""
    person, _ = await resolvers.access.managed_account(context, account_id, to=TO_CHANGE)
    resolvers.access.require_freshness(person)
    async with context.changing(account_id) as connection:
        member = await resolvers.staff.lock_member(connection, person, account_id, staff_id, NOT_ONESELF)
        if not await db.identities.allow(connection, member.user_id, issuer):
            raise NotFound
        title = resolvers.identities.title_of(context, issuer)
        await db.outbox.append(
            connection,
            IdentityAllowed(account_id=account_id, subject_id=member.user_id, actor_id=person.id, provider=title),
        )
