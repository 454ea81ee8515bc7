"""After a reset of MFA: enrolling again by a link out of an email, and saying that the reset was not one's wish."""

from __future__ import annotations

from uuid import UUID

import db.factors
import db.given
import db.links
import db.memberships
import db.outbox
import db.sessions
import db.throttles
import db.users
import resolvers.access
import resolvers.links
import resolvers.proof
import resolvers.sessions
import rules.throttling
from db.pool import Connection
from db.sign_in import Arrival
from resolvers.context import Context
from rules.events.base import Event
from rules.events.mfa import EnrollmentConfirmed, EnrollmentLinkRequested, MfaResetDisputed
from rules.failures import LinkExpired, TooManyAttempts
from rules.links import AFTER_RESET, Purpose
from rules.people import Person


async def link_sent(context: Context, connection: Connection, arrived: Arrival, amr: str) -> list[Event]:
    """Somebody signs in: what sends the link to enroll by, where they were reset and their account asks for it."""
    if not arrived.needs_enrollment_link:
        return []
    key = rules.throttling.enrollment_link_key(arrived.user_id)
    try:
        await db.throttles.charge(connection, key, rules.throttling.ENROLLMENT_LINK)
    except TooManyAttempts:
        return []  # those sent before still hold; whoever signs in may be the thief of a password
    return [
        EnrollmentLinkRequested(subject_id=arrived.user_id, actor_id=arrived.user_id, client=context.client, amr=amr)
    ]


async def confirm(context: Context, token: str) -> Person:
    """Let this session enroll by the token of a link to this person, which is used up by it.

    Another session, of whoever knows the password alone, stays as it is. Raises LinkExpired and TooManyAttempts.
    """
    person = await context.person()
    found = await resolvers.links.find(context, token, Purpose.ENROLLMENT, person.id)
    async with context.changing(person.id) as connection:
        await resolvers.access.lock_person(connection, person)
        if not await db.links.use(connection, found):
            raise LinkExpired
        await db.sessions.confirm_enrollment(connection, person.session_id)
        confirmed = EnrollmentConfirmed(subject_id=person.id, actor_id=person.id, client=context.client)
        await db.outbox.append(connection, confirmed)
        renewed = await resolvers.proof.renewed_token(context, connection, person)
    return await context.go_on_as(renewed)


async def dispute(context: Context, token: str) -> str:
    """Stop whatever goes on in the person's name after a reset until an owner resets them again; return their email.

    A factor goes, too: whoever enrolled since the reset may have known no more than the password. So does what was
    given, asked for or offered to others in that name. Raises LinkExpired and TooManyAttempts.
    """
    async with resolvers.links.used_up(context, token, Purpose.NOT_ME) as (connection, found):
        since = await db.links.first_since_reset(connection, found)
        await db.given.take_back(connection, found.user_id, found.user_id, context.client)
        await db.given.revoke_invitations(connection, found.user_id, since)
        await db.users.stop_enrolling(connection, found.user_id)
        await db.factors.remove(connection, found.user_id)
        await resolvers.sessions.leave_nothing_open(connection, found.user_id)
        await db.links.void(connection, found.user_id, AFTER_RESET)
        return await _tell_owners(context, connection, found.user_id)


async def _tell_owners(context: Context, connection: Connection, user_id: UUID) -> str:
    known = await db.users.credentials_of(connection, user_id)
    assert known is not None
    account_ids: list[UUID | None] = [*await db.memberships.accounts_of(connection, user_id)]
    disputed = [
        MfaResetDisputed(
            account_id=account_id,
            subject_id=user_id,
            actor_id=user_id,
            subject_email=known.email,
            client=context.client,
        )
        for account_id in account_ids or [None]
    ]
    await db.outbox.append_all(connection, disputed)
    return known.email
