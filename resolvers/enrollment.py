"""Enrolling an authenticator app, and turning MFA off again."""

from __future__ import annotations

import db.enrollment
import db.factors
import db.links
import db.outbox
import db.service_keys
import resolvers.access
import resolvers.new_app
import resolvers.proof
from db.pool import Connection
from resolvers.context import Context
from resolvers.new_app import Begun, Shown
from rules.events.mfa import MfaDisabled, MfaEnabled
from rules.failures import EnrollmentNotStarted, MfaAlreadyEnabled, NotPermitted
from rules.links import Purpose


async def begin(context: Context) -> Begun:
    """Make a new secret. Raises MfaAlreadyEnabled, NotPermitted (why_not_enroll), and what fresh_person raises."""
    person = await resolvers.access.fresh_person(context)
    if (reason := person.why_not_enroll) is not None:
        raise NotPermitted(reason)
    secret, sealed = resolvers.new_app.new_secret(context, person)
    async with context.changing(person.id) as connection:
        await resolvers.access.lock_person(connection, person)
        if await db.factors.exists(connection, person.id):
            raise MfaAlreadyEnabled
        expires_at = await db.enrollment.begin(connection, person.id, sealed)
    return resolvers.new_app.begun(context, person, secret, expires_at)


async def verify_and_enable(context: Context, code: str) -> list[str]:
    """Turn MFA on by the first code; return the backup codes.

    Raises InvalidCode, MfaAlreadyEnabled, EnrollmentNotStarted, TooManyAttempts, and what fresh_person raises.
    """
    person = await resolvers.access.fresh_person(context)
    if person.mfa_enabled:
        raise MfaAlreadyEnabled
    if (reason := person.why_not_enroll) is not None:
        raise EnrollmentNotStarted(reason)  # whatever began before

    async def enable(connection: Connection, shown: Shown) -> MfaEnabled:
        if shown.sealed is None:
            raise MfaAlreadyEnabled if await db.factors.exists(connection, person.id) else EnrollmentNotStarted
        codes = shown.codes
        if not await db.factors.enable(connection, person.id, shown.sealed, shown.step, codes.salt, codes.key_id):
            raise MfaAlreadyEnabled
        await db.links.void(connection, person.id, [Purpose.ENROLLMENT])
        key_name = await db.service_keys.note_set_up(connection, person.id, person.session_id)
        return MfaEnabled(subject_id=person.id, actor_id=person.id, client=context.client, service_key=key_name)

    try:
        return await resolvers.new_app.put_into_use(context, person, code, enable, needed_code=False)
    except EnrollmentNotStarted:
        async with context.database.connection() as connection:
            if await db.factors.exists(connection, person.id):  # by another verification, which was first
                raise MfaAlreadyEnabled from None
        raise


async def disable(context: Context, code: str) -> None:
    """Turn MFA off by a current code; this session stays. Raises what backup_codes.regenerate raises."""
    person = await resolvers.access.fresh_person_with_code(context)
    async with resolvers.proof.app_shown(context, person, code) as connection:
        await db.factors.remove(connection, person.id)
        await db.outbox.append(connection, MfaDisabled(subject_id=person.id, actor_id=person.id, client=context.client))
        token = await resolvers.proof.keep_only_this_session(context, connection, person)
    await context.go_on_as(token)
