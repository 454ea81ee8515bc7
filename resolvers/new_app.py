"""An authenticator app on its way: its secret, shown once, and its first code, which puts it into use."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import db.backup_codes
import db.enrollment
import db.outbox
import db.sessions
import db.throttles
import resolvers.access
import resolvers.backup_codes
import resolvers.guessing.codes
import resolvers.proof
import resolvers.second_factor
import rules.throttling
import rules.totp
from db.pool import Connection
from resolvers.backup_codes import CodeSet
from resolvers.context import Context
from resolvers.guessing.charged import WrongGuess
from rules.events.base import Event
from rules.failures import EnrollmentNotStarted
from rules.people import Person
from rules.sealed import NONCE_BYTES, Sealed
from rules.totp import TOTP_PURPOSE


@dataclass(frozen=True)
class Begun:
    """A secret to be put into an authenticator app, shown this once."""

    secret: bytes
    otpauth_uri: str
    expires_at: datetime


@dataclass(frozen=True)
class Shown:
    """What a right first code has shown; `sealed` is None when no such enrollment is open any more."""

    sealed: Sealed | None
    step: int
    codes: CodeSet


def new_secret(context: Context, person: Person) -> tuple[bytes, Sealed]:
    """A new secret for the person's app, and what is kept of it."""
    secret = secrets.token_bytes(rules.totp.SECRET_BYTES)
    nonce = secrets.token_bytes(NONCE_BYTES)
    return secret, context.service.ring.seal(secret, TOTP_PURPOSE, person.id, nonce)


def begun(context: Context, person: Person, secret: bytes, expires_at: datetime) -> Begun:
    """The secret as it is shown."""
    return Begun(secret, rules.totp.provisioning_uri(secret, person.email, context.service.issuer), expires_at)


async def put_into_use(
    context: Context,
    person: Person,
    code: str,
    use: Callable[[Connection, Shown], Awaitable[Event]],
    *,
    needed_code: bool,
) -> list[str]:
    """Look at the app's first code and let `use` make it the factor; return the new backup codes.

    `use` runs under the person's lock and says what has happened. Every other session ends. Raises InvalidCode,
    EnrollmentNotStarted, TooManyAttempts, and what `use` raises.

    If the person `needed_code` of the old app to begin, wrong first codes are charged as all others are. If not, there
    is nothing to guess: whoever tries could as well begin anew, with a secret that they know. Wrong first codes close
    this session alone then, and once the app is in use the guesses at what was before count no more.
    """
    async with context.database.connection() as connection:
        opened = await db.enrollment.load(connection, person.id)
    if opened is None:
        raise EnrollmentNotStarted
    code_entry = rules.throttling.second_factor_key(person.id)
    key = code_entry if needed_code else rules.throttling.first_code_key(person.session_id)
    async with resolvers.guessing.codes.of_person(context, person.id, key) as guess:
        secret = _open(context, person, opened.secret)
        step = _first_step(secret, opened.now, code)
        codes = await resolvers.backup_codes.new_set(context, person.id)
        async with context.changing(person.id) as connection:
            await resolvers.access.lock_person(connection, person)
            sealed = await db.enrollment.finish(connection, person.id)
            # Another secret means begun again; the same one may have been sealed anew under a newer key.
            is_same = sealed is not None and _open(context, person, sealed) == secret
            event = await use(connection, Shown(sealed if is_same else None, step, codes))
            await db.backup_codes.replace(connection, person.id, codes.digests, codes.salt, codes.key_id)
            await db.sessions.renew_second_factor(connection, person.session_id)
            await db.outbox.append(connection, event)
            token = await resolvers.proof.keep_only_this_session(context, connection, person)
            await guess.give_back(connection)
            if not needed_code:
                await db.throttles.clear(connection, code_entry)
    await context.go_on_as(token)
    return codes.codes


def _open(context: Context, person: Person, sealed: Sealed) -> bytes:
    return context.service.ring.open(sealed, TOTP_PURPOSE, person.id)


def _first_step(secret: bytes, now: datetime, code: str) -> int:
    """The time step of a new app's first code. Raises WrongGuess, NotACode."""
    resolvers.second_factor.require_digits(code)
    step = rules.totp.matching_step(secret, code, now)
    if step is None:
        skew = rules.totp.clock_skew_s(secret, code, now)
        raise WrongGuess(_wrong_first_code(skew), skew)
    return step


def _wrong_first_code(skew: int | None) -> str:
    if skew is None:
        return resolvers.second_factor.WRONG_CODE
    direction = "ahead" if skew > 0 else "behind"
    return (
        f"That code is right for another time: your phone's clock is about {abs(skew)} seconds {direction}. "
        "Set it to automatic time, then enter the code it shows."
    )
