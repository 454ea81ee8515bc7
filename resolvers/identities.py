"""The OpenID identities that a person has: seen, taken away for good, and allowed again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import db.challenges
import db.given
import db.identities
import db.outbox
import db.sessions
import db.users
import resolvers.access
import rules.oidc
from db.pool import Connection
from resolvers.context import Context
from rules.clients import NO_CLIENT, Client
from rules.events.signing_in import IdentityAllowed, IdentityRemoved
from rules.failures import NotFound, NotPermitted, Unauthenticated

ONLY_WAY_IN = (
    "You have no password, and would have no way to sign in. Set a password first: choose “Forgot password?” where you "
    "sign in."
)


@dataclass(frozen=True)
class Seen:
    """A person's identity at a provider, linked or taken away, under the provider's name."""

    issuer: str
    title: str
    linked_at: datetime | None
    removed_at: datetime | None


async def of_viewer(context: Context) -> list[Seen]:
    """The person's own."""
    person = await context.person()
    async with context.database.connection() as connection:
        return await of_person(context, connection, person.id)


async def of_person(context: Context, connection: Connection, user_id: UUID) -> list[Seen]:
    """Somebody's, by provider."""
    found = await db.identities.of_person(connection, user_id)
    seen = [Seen(each.issuer, title_of(context, each.issuer), each.linked_at, each.removed_at) for each in found]
    return sorted(seen, key=lambda each: (each.title, each.issuer))


async def remove(context: Context, issuer: str) -> None:
    """Take the person's identity at the issuer away; where it has begun this session, they are signed out.

    Raises NotPermitted where they have no password, ReauthenticationRequired and NotFound.
    """
    person = await context.person()
    async with context.changing(person.id) as connection:
        await db.given.lock(connection, [person.id])
        await resolvers.access.lock_person(connection, person)
        known = await db.users.credentials_of(connection, person.id)
        # Said before the proof is asked for, which without a password they could hardly give.
        if known is None or known.password_hash is None:
            raise NotPermitted(ONLY_WAY_IN)
        resolvers.access.require_freshness(person)
        if not await take(connection, person.id, issuer, person.id, context.client):
            raise NotFound
        removed = IdentityRemoved(subject_id=person.id, actor_id=person.id, provider=title_of(context, issuer))
        await db.outbox.append(connection, removed)
    try:
        await context.reload()
    except Unauthenticated:
        context.sign_out()


async def allow(context: Context, issuer: str) -> None:
    """Let the provider's word link the person again. Raises ReauthenticationRequired and NotFound."""
    person = await resolvers.access.fresh_person(context)
    async with context.changing(person.id) as connection:
        await resolvers.access.lock_person(connection, person)
        if not await db.identities.allow(connection, person.id, issuer):
            raise NotFound
        allowed = IdentityAllowed(subject_id=person.id, actor_id=person.id, provider=title_of(context, issuer))
        await db.outbox.append(connection, allowed)


async def remove_all(context: Context, connection: Connection, user_id: UUID) -> bool:
    """Take all of the person's identities away, as they say by an email's link, under their lock; false without any."""
    removed = await take(connection, user_id, None, user_id, context.client)
    await _tell_removed(context, connection, user_id, removed)
    return bool(removed)


async def remove_since(context: Context, connection: Connection, user_id: UUID, since: datetime) -> bool:
    """The same of those linked since then; what began since then has ended."""
    removed = await db.identities.remove(connection, user_id, None, since)
    await _tell_removed(context, connection, user_id, removed)
    return bool(removed)


async def _tell_removed(context: Context, connection: Connection, user_id: UUID, issuers: list[str]) -> None:
    events = [
        IdentityRemoved(subject_id=user_id, actor_id=user_id, provider=title_of(context, issuer)) for issuer in issuers
    ]
    await db.outbox.append_all(connection, events)


async def take(
    connection: Connection, user_id: UUID, issuer: str | None, actor_id: UUID | None, client: Client = NO_CLIENT
) -> list[str]:
    """Take somebody's identity at the issuer away, or (None) all, and end what was begun by any; the issuers.

    A session does not know which of several began it. What was given or asked for in their name ends, too. To be called
    under the locks of that.
    """
    removed = await db.identities.remove(connection, user_id, issuer)
    if removed:
        await db.given.take_back(connection, user_id, actor_id, client)
        await db.sessions.end_begun_by(connection, user_id, rules.oidc.AMR)
        await db.challenges.drop_all(connection, user_id)
    return removed


def title_of(context: Context, issuer: str) -> str:
    """What people call the issuer."""
    return rules.oidc.title_of((each.config for each in context.service.providers.values()), issuer)
