"""Moving to a new authenticator app while MFA stays on: the old one works until the new one has shown a code."""

from __future__ import annotations

import db.enrollment
import db.factors
import db.recovery
import db.resets
import db.service_keys
import db.sessions
import resolvers.access
import resolvers.new_app
import resolvers.proof
from db.pool import Connection
from resolvers.context import Context
from resolvers.new_app import Begun, Shown
from resolvers.sign_in import TOTP
from rules.events.mfa import AuthenticatorReplaced
from rules.failures import BadUserInput, EnrollmentNotStarted, MfaNotEnabled, Unauthenticated
from rules.people import Person

NO_CODE = "Give a code of the old app, or a backup code."


async def begin(context: Context, totp_code: str | None, backup_code: str | None) -> Begun:
    """Make a secret for the new app, by a code of the old one or a backup code, which is spent.

    A session of a recovery pass needs none. Raises InvalidCode, MfaNotEnabled, TooManyAttempts, BadUserInput, and what
    fresh_person_with_code raises.
    """
    if totp_code is None and backup_code is None:
        return await _begin_recovery(context)
    person = await resolvers.access.fresh_person_with_code(context)
    secret, sealed = resolvers.new_app.new_secret(context, person)
    async with resolvers.proof.second_factor_shown(context, person, totp_code, backup_code) as (connection, _):
        expires_at = await db.enrollment.begin(connection, person.id, sealed)
    return resolvers.new_app.begun(context, person, secret, expires_at)


async def _begin_recovery(context: Context) -> Begun:
    person = await context.recovering_person()
    if person is None:
        await resolvers.access.fresh_person_with_code(context)
        raise BadUserInput(NO_CODE)
    secret, sealed = resolvers.new_app.new_secret(context, person)
    async with context.changing(person.id) as connection:
        await resolvers.access.lock_person(connection, person)
        await _require_pass(connection, person)
        expires_at = await db.enrollment.begin(connection, person.id, sealed)
    return resolvers.new_app.begun(context, person, secret, expires_at)


async def _require_pass(connection: Connection, person: Person) -> None:
    """A session of a pass is none any more once a second owner or admin must approve what the pass stands for.

    Nor once whoever gave it might not give it any more. That bites at once, also for what was begun before.
    Raises Unauthenticated.
    """
    is_given = await db.recovery.might_be_given(connection, person.session_id)
    if not is_given or await db.resets.needs_approval(connection, person.id):
        raise Unauthenticated


async def replace(context: Context, code: str) -> list[str]:
    """Put the new app in the old one's place by its first code; return the new backup codes.

    Raises InvalidCode, MfaNotEnabled, EnrollmentNotStarted, TooManyAttempts, and what fresh_person raises.
    """
    recovering = await context.recovering_person()
    person = recovering or await resolvers.access.fresh_person(context)
    if not person.mfa_enabled:
        raise MfaNotEnabled

    async def exchange(connection: Connection, shown: Shown) -> AuthenticatorReplaced:
        if recovering is not None:
            await _require_pass(connection, recovering)
        if shown.sealed is None:
            raise EnrollmentNotStarted
        if not await db.factors.replace_secret(connection, person.id, shown.sealed, shown.step):
            raise MfaNotEnabled
        lifetime = context.service.limits.session_lifetime
        await db.recovery.complete_session(connection, person.id, person.session_id, TOTP, lifetime)
        return AuthenticatorReplaced(
            subject_id=person.id,
            actor_id=person.id,
            client=context.client,
            service_key=await db.service_keys.note_set_up(connection, person.id, person.session_id),
        )

    return await resolvers.new_app.put_into_use(context, person, code, exchange, needed_code=recovering is None)
