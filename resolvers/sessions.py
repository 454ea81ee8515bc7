"""The sessions that a person has: listing and ending."""

from __future__ import annotations

from uuid import UUID

import db.challenges
import db.enrollment
import db.given
import db.outbox
import db.sessions
import db.users
import resolvers.access
import resolvers.proof
from db.pool import Connection
from resolvers.context import Context
from rules.events.signing_in import SessionsEnded, SignedOut
from rules.failures import NotFound
from rules.people import Person


async def live(context: Context) -> list[db.sessions.Session]:
    """The person's live sessions, newest use first."""
    person = await context.person()
    async with context.database.connection() as connection:
        return await db.sessions.live(connection, person.id, person.session_id, context.service.limits.session_idle)


async def sign_out(context: Context) -> None:
    """End this session; without one there is nothing to end."""
    person = await context.whoever_leaves()
    if person is not None:
        async with context.changing() as connection:
            # Of two at once, one ends it and is told of.
            if await db.sessions.end_of(connection, person.id, person.session_id):
                signed_out = SignedOut(subject_id=person.id, actor_id=person.id, client=context.client)
                await db.outbox.append(connection, signed_out)
    context.sign_out()


async def end(context: Context, session_id: UUID) -> None:
    """End one of the person's sessions, this one too. Raises NotFound.

    Another one may have been somebody else: what was given or asked for in the person's name ends with it.
    """
    person = await context.person()
    async with context.changing() as connection:
        await db.given.lock(connection, [person.id])
        if not await db.sessions.end_of(connection, person.id, session_id):
            raise NotFound
        if session_id != person.session_id:
            await db.given.take_back(connection, person.id, person.id, context.client)
        await _tell(context, connection, person, 1)
    if session_id == person.session_id:
        context.sign_out()


async def sign_out_others(context: Context) -> int:
    """End every session of the person but this one, and what they may have given or asked for; return how many."""
    person = await context.person()
    async with context.changing() as connection:
        await db.given.lock(connection, [person.id])
        # Two sessions that end each other at once would leave nobody signed in.
        await resolvers.access.lock_person(connection, person)
        idle = context.service.limits.session_idle
        ended = await db.sessions.end_others(connection, person.id, person.session_id, idle)
        await db.given.take_back(connection, person.id, person.id, context.client)
        if ended:
            await _tell(context, connection, person, ended)
        token = await resolvers.proof.renewed_token(context, connection, person)
    await context.go_on_as(token)
    return ended


async def leave_nothing_open(connection: Connection, user_id: UUID) -> None:
    """End all that goes on in the person's name: sessions, challenges, an enrollment. To be called under their lock."""
    await db.sessions.end_all(connection, user_id)
    await db.challenges.drop_all(connection, user_id)
    await db.enrollment.drop(connection, user_id)


async def _tell(context: Context, connection: Connection, person: Person, count: int) -> None:
    ended = SessionsEnded(subject_id=person.id, actor_id=person.id, client=context.client, count=count)
    await db.outbox.append(connection, ended)
