"""Moving to a new authenticator app while MFA stays on: the old one works until the new one has shown a code."""

from __future__ import annotations

from db import backup_codes, enrollment, factors, outbox, sessions
from db.pool import Connection
from resolvers import access, guessing, proof, second_factor
from resolvers.backup_codes import CodeSet, new_set
from resolvers.context import Context
from resolvers.enrollment import Begun, begun, first_step, new_secret, open_secret
from rules.events.mfa import AuthenticatorReplaced
from rules.failures import EnrollmentNotStarted, MfaNotEnabled
from rules.people import Person


async def begin(context: Context, totp_code: str | None, backup_code: str | None) -> Begun:
    """Make a secret for the new app, by a code of the old one or a backup code, which is spent.

    Raises InvalidCode, MfaNotEnabled, TooManyAttempts, and what fresh_person_with_code raises.
    """
    person = await access.fresh_person_with_code(context)
    if not person.mfa_enabled:
        raise MfaNotEnabled
    secret, sealed = new_secret(context, person)
    async with guessing.of_code(context, person.id) as guess:
        async with context.database.connection() as connection:
            factor = await second_factor.load(connection, person.id)
        given = await second_factor.answer(context, factor, totp_code, backup_code)
        async with context.changing(person.id) as connection:
            await access.lock_person(connection, person)
            await second_factor.spend(context, connection, person.id, given)
            expires_at = await enrollment.begin(connection, person.id, sealed)
            await sessions.renew_second_factor(connection, person.session_id)
            await guess.give_back(connection)
    return begun(context, person, secret, expires_at)


async def replace(context: Context, code: str) -> list[str]:
    """Put the new app in the old one's place by its first code; return the new backup codes.

    Raises InvalidCode, MfaNotEnabled, EnrollmentNotStarted, TooManyAttempts, and what fresh_person raises.
    """
    person = await access.fresh_person(context)
    if not person.mfa_enabled:
        raise MfaNotEnabled
    async with context.database.connection() as connection:
        opened = await enrollment.load(connection, person.id)
    if opened is None:
        raise EnrollmentNotStarted
    async with guessing.of_code(context, person.id) as guess:
        secret = open_secret(context, person, opened.secret)
        step = first_step(secret, opened.now, code)
        codes = await new_set(context)
        async with context.changing(person.id) as connection:
            await _replace(context, connection, person, secret, step, codes)
            token = await proof.keep_only_this_session(context, connection, person)
            await guess.give_back(connection)
    await context.go_on_as(token)
    return codes.codes


async def _replace(
    context: Context, connection: Connection, person: Person, secret: bytes, step: int, codes: CodeSet
) -> None:
    await access.lock_person(connection, person)
    sealed = await enrollment.finish(connection, person.id)
    if sealed is None or open_secret(context, person, sealed) != secret:
        raise EnrollmentNotStarted
    if not await factors.replace_secret(connection, person.id, sealed, step):
        raise MfaNotEnabled
    await backup_codes.replace(connection, person.id, codes.digests, codes.salt, codes.key_id)
    await sessions.renew_second_factor(connection, person.session_id)
    replaced = AuthenticatorReplaced(subject_id=person.id, actor_id=person.id, client=context.client)
    await outbox.append(connection, replaced)
