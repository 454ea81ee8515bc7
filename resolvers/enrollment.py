"""Enrolling an authenticator app, and turning MFA off again."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from db import backup_codes, enrollment, factors, links, outbox, sessions
from db.pool import Connection
from resolvers import access, guessing, proof, second_factor
from resolvers.backup_codes import CodeSet, new_set
from resolvers.context import Context
from rules import totp
from rules.events.mfa import MfaDisabled, MfaEnabled
from rules.failures import EnrollmentNotStarted, MfaAlreadyEnabled, MfaNotEnabled, NotPermitted
from rules.links import Purpose
from rules.people import Person
from rules.sealing import NONCE_BYTES, Sealed


@dataclass(frozen=True)
class Begun:
    """A secret to be put into an authenticator app, shown this once."""

    secret: bytes
    otpauth_uri: str
    expires_at: datetime


async def begin(context: Context) -> Begun:
    """Make a new secret. Raises MfaAlreadyEnabled, NotPermitted (why_not_enroll), and what fresh_person raises."""
    person = await access.fresh_person(context)
    if (reason := person.why_not_enroll) is not None:
        raise NotPermitted(reason)
    secret, sealed = new_secret(context, person)
    async with context.changing(person.id) as connection:
        await access.lock_person(connection, person)
        if await factors.exists(connection, person.id):
            raise MfaAlreadyEnabled
        expires_at = await enrollment.begin(connection, person.id, sealed)
    return begun(context, person, secret, expires_at)


def new_secret(context: Context, person: Person) -> tuple[bytes, Sealed]:
    """A new secret for the person's app, and what is kept of it."""
    secret = secrets.token_bytes(totp.SECRET_BYTES)
    nonce = secrets.token_bytes(NONCE_BYTES)
    return secret, context.service.ring.seal(secret, second_factor.TOTP_PURPOSE, person.id, nonce)


def begun(context: Context, person: Person, secret: bytes, expires_at: datetime) -> Begun:
    """The secret as it is shown."""
    return Begun(secret, totp.provisioning_uri(secret, person.email, context.service.issuer), expires_at)


async def verify_and_enable(context: Context, code: str) -> list[str]:
    """Turn MFA on by the first code; return the backup codes.

    Raises InvalidCode, MfaAlreadyEnabled, EnrollmentNotStarted, TooManyAttempts, and what fresh_person raises.
    """
    person = await access.fresh_person(context)
    if person.mfa_enabled:
        raise MfaAlreadyEnabled
    async with context.database.connection() as connection:
        opened = await enrollment.load(connection, person.id)
    if opened is None:
        raise EnrollmentNotStarted
    if (reason := person.why_not_enroll) is not None:
        raise EnrollmentNotStarted(reason)  # since it began
    async with guessing.of_code(context, person.id) as guess:
        secret = open_secret(context, person, opened.secret)
        step = first_step(secret, opened.now, code)
        codes = await new_set(context)
        async with context.changing(person.id) as connection:
            await _enable(context, connection, person, secret, step, codes)
            token = await proof.keep_only_this_session(context, connection, person)
            await guess.give_back(connection)
    await context.go_on_as(token)
    return codes.codes


async def _enable(
    context: Context, connection: Connection, person: Person, secret: bytes, step: int, codes: CodeSet
) -> None:
    await access.lock_person(connection, person)
    sealed = await enrollment.finish(connection, person.id)
    # Another secret means begun again; the same one may have been sealed anew under a newer key.
    if sealed is None or open_secret(context, person, sealed) != secret:
        raise MfaAlreadyEnabled if await factors.exists(connection, person.id) else EnrollmentNotStarted
    if not await factors.enable(connection, person.id, sealed, step, codes.salt, codes.key_id):
        raise MfaAlreadyEnabled
    await backup_codes.replace(connection, person.id, codes.digests, codes.salt, codes.key_id)
    await sessions.renew_second_factor(connection, person.session_id)
    await links.void(connection, person.id, [Purpose.ENROLLMENT])
    await outbox.append(connection, MfaEnabled(subject_id=person.id, actor_id=person.id, client=context.client))


async def disable(context: Context, code: str) -> None:
    """Turn MFA off by a current code; this session stays. Raises as regenerating backup codes does."""
    person = await access.fresh_person_with_code(context)
    if not person.mfa_enabled:
        raise MfaNotEnabled
    async with guessing.of_code(context, person.id) as guess, context.changing(person.id) as connection:
        await access.lock_person(connection, person)
        await second_factor.spend_totp(context, connection, person.id, code)
        await factors.remove(connection, person.id)
        await outbox.append(connection, MfaDisabled(subject_id=person.id, actor_id=person.id, client=context.client))
        token = await proof.keep_only_this_session(context, connection, person)
        await guess.give_back(connection)
    await context.go_on_as(token)


def open_secret(context: Context, person: Person, sealed: Sealed) -> bytes:
    """The secret of the person's app. Raises KeyMissingError."""
    return context.service.ring.open(sealed, second_factor.TOTP_PURPOSE, person.id)


def first_step(secret: bytes, now: datetime, code: str) -> int:
    """The time step of a new app's first code. Raises WrongGuess, NotACode."""
    second_factor.require_digits(code)
    step = totp.matching_step(secret, code, now)
    if step is None:
        skew = totp.clock_skew_s(secret, code, now)
        raise guessing.WrongGuess(_wrong_first_code(skew), skew)
    return step


def _wrong_first_code(skew: int | None) -> str:
    if skew is None:
        return second_factor.WRONG_CODE
    direction = "ahead" if skew > 0 else "behind"
    return (
        f"That code is right for another time: your phone's clock is about {abs(skew)} seconds {direction}. "
        "Set it to automatic time, then enter the code it shows."
    )
