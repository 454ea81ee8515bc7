"""What a change of a person's factor does to their sessions, and how they show again that they are the one."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import db.challenges
import db.outbox
import db.sessions
import db.users
import resolvers.access
import resolvers.guessing.codes
import resolvers.guessing.passwords
import resolvers.second_factor
import resolvers.sign_in
import rules.tokens
from db.pool import Connection
from resolvers.context import Context
from resolvers.second_factor import Answer
from rules.events.signing_in import Reauthenticated
from rules.failures import BadUserInput, MfaNotEnabled, Unauthenticated
from rules.people import Person


async def reauthenticate(
    context: Context, password: str | None, totp_code: str | None, backup_code: str | None
) -> Person:
    """Show the password again, or a second factor, or both; the person as they stand then.

    Raises InvalidCredentials, InvalidCode, TooManyAttempts, RateLimited, MfaNotEnabled and BadUserInput.
    """
    person = await context.person()
    if password is None and totp_code is None and backup_code is None:
        raise BadUserInput("Give the password, a code, or both.")
    if password is not None:
        await _show_password(context, person, password)
    if totp_code is not None or backup_code is not None:
        await _show_second_factor(context, person, totp_code, backup_code)
    return await context.reload()


@asynccontextmanager
async def second_factor_shown(
    context: Context, person: Person, totp_code: str | None, backup_code: str | None
) -> AsyncIterator[tuple[Connection, Answer]]:
    """The transaction, under the person's lock, in which one of the two codes is spent and the session's proof renewed.

    Where its token is in a cookie it gets another one: no copy of the cookie has the proof, too.
    Raises InvalidCode, MfaNotEnabled, TooManyAttempts.
    """
    if not person.mfa_enabled:
        raise MfaNotEnabled
    async with resolvers.guessing.codes.of_person(context, person.id) as guess:
        async with context.database.connection() as connection:
            factor = await resolvers.second_factor.load(connection, person.id)
        given = await resolvers.second_factor.answer(context, person.id, factor, totp_code, backup_code)
        async with context.changing(person.id) as connection:
            await resolvers.access.lock_person(connection, person)
            spent = await resolvers.second_factor.spend(context, connection, person.id, given)
            await db.outbox.append_all(connection, spent)
            await db.sessions.renew_second_factor(connection, person.session_id)
            yield connection, given
            token = await renewed_token(context, connection, person)
            await guess.give_back(connection)
        await context.go_on_as(token)


@asynccontextmanager
async def app_shown(context: Context, person: Person, code: str) -> AsyncIterator[Connection]:
    """The transaction, under the person's lock, in which a code of the app is spent.

    Raises InvalidCode, MfaNotEnabled, TooManyAttempts.
    """
    if not person.mfa_enabled:
        raise MfaNotEnabled
    async with (
        resolvers.guessing.codes.of_person(context, person.id) as guess,
        context.changing(person.id) as connection,
    ):
        await resolvers.access.lock_person(connection, person)
        spent = await resolvers.second_factor.spend_totp(context, connection, person.id, code)
        await db.outbox.append_all(connection, spent)
        yield connection
        await guess.give_back(connection)


async def keep_only_this_session(context: Context, connection: Connection, person: Person) -> str | None:
    """End the person's other sessions and open challenges; the new token of this one, where it is in a cookie.

    To be called under their lock; `context.go_on_as` hands the token over once all is committed.
    """
    await db.sessions.end_others(connection, person.id, person.session_id, context.service.limits.session_idle)
    token = await renewed_token(context, connection, person)
    await db.challenges.drop_all(connection, person.id)
    return token


async def renewed_token(context: Context, connection: Connection, person: Person) -> str | None:
    """The session's new token, where it is in a cookie: whoever has a copy of the one before has nothing.

    A bearer token stays, since whoever sends it would have to read the new one. To be called under the person's lock.
    Raises Unauthenticated when another request, maybe of the copy's, has renewed it meanwhile.
    """
    if not context.token_is_cookie:
        return None
    token, token_hash = rules.tokens.issue(rules.tokens.SESSION_PREFIX, secrets.token_bytes(rules.tokens.TOKEN_BYTES))
    if not await db.sessions.replace_token(connection, person.session_id, context.token_hash, token_hash):
        raise Unauthenticated
    return token


async def _show_password(context: Context, person: Person, password: str) -> None:
    async with context.database.connection() as connection:
        known = await db.users.credentials_of(connection, person.id)
    door = resolvers.guessing.passwords.session_door(person.id)
    async with (
        resolvers.guessing.passwords.at_door(context, door, known) as guess,
        resolvers.sign_in.password_shown(context, known, password, door.asker) as (connection, _),
    ):
        if not await db.sessions.renew_password(connection, person.session_id):
            raise Unauthenticated
        shown = Reauthenticated(subject_id=person.id, actor_id=person.id, client=context.client, amr="pwd")
        await db.outbox.append(connection, shown)
        token = await renewed_token(context, connection, person)
        await guess.give_back(connection)
    await context.go_on_as(token)


async def _show_second_factor(context: Context, person: Person, totp_code: str | None, backup_code: str | None) -> None:
    async with second_factor_shown(context, person, totp_code, backup_code) as (connection, given):
        amr = "otp" if given.totp_code is not None else "backup_code"
        shown = Reauthenticated(subject_id=person.id, actor_id=person.id, client=context.client, amr=amr)
        await db.outbox.append(connection, shown)
