"""Guesses at second factors: of who is signed in, and of a challenge."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from uuid import UUID

import db.challenges
import db.outbox
import db.throttles
import resolvers.guessing.charged
import rules.throttling
from db.challenges import Challenge
from db.pool import Connection
from resolvers.context import Context
from resolvers.guessing.charged import Guess, NotACode, WrongGuess
from rules.events.signing_in import CodeRejected, CodeReplayed, MfaChallengeLocked
from rules.failures import ChallengeExpired, Failure, InvalidCode, ServiceUnavailable, TooManyAttempts
from rules.throttling import Charge
from telemetry import metrics


@asynccontextmanager
async def of_person(context: Context, user_id: UUID, key: str | None = None) -> AsyncIterator[Guess]:
    """A guess at the second factor of someone signed in, charged to their code entry unless a `key` is given.

    Raises InvalidCode, TooManyAttempts.
    """
    await context.settle()  # guesses are charged for themselves, beside no change that could be taken back
    charged = await _charge_code(context, user_id, key or rules.throttling.second_factor_key(user_id))

    async def wrong(error: WrongGuess) -> Failure:
        await _after_wrong_code(context, user_id, charged, error)
        return InvalidCode(str(error), charged.remaining, error.clock_skew_seconds)

    try:
        async with resolvers.guessing.charged.looked_at(context, charged, wrong) as guess:
            yield guess
    except NotACode as error:
        raise InvalidCode(str(error), charged.remaining + 1) from None


@asynccontextmanager
async def of_challenge(context: Context, token_hash: bytes) -> AsyncIterator[tuple[Guess, Challenge]]:
    """A guess at the second factor that a challenge asks for. Raises ChallengeExpired, InvalidCode, TooManyAttempts."""
    challenge, charged = await _charge_challenge(context, token_hash)
    left = rules.throttling.CHALLENGE_ATTEMPTS - challenge.attempts

    async def wrong(error: WrongGuess) -> Failure:
        await _after_wrong_code(context, challenge.user_id, charged, error)
        return InvalidCode(str(error), min(left, charged.remaining))

    try:
        async with resolvers.guessing.charged.looked_at(context, charged, wrong) as guess:
            yield guess, challenge
    except (InvalidCode, ChallengeExpired):
        raise
    except Exception as error:
        await _give_attempt_back(context, challenge)
        if isinstance(error, NotACode):
            raise InvalidCode(str(error), min(left, charged.remaining) + 1) from None
        raise


async def _charge_code(context: Context, user_id: UUID, key: str) -> Charge:
    try:
        async with context.database.connection() as connection:
            return await db.throttles.charge(connection, key, rules.throttling.SECOND_FACTOR)
    except TooManyAttempts as locked:
        await _record_code_lock(context, user_id, key, locked.retry_at)
        raise


async def _charge_challenge(context: Context, token_hash: bytes) -> tuple[Challenge, Charge]:
    """Both at once, unless the code entry is closed: then the challenge gets its attempt back."""
    async with context.database.connection() as connection:
        found = await db.challenges.charge(connection, token_hash)
    if found is None:
        raise ChallengeExpired
    challenge, charged = found
    if charged is not None:
        return challenge, charged
    try:
        key = rules.throttling.second_factor_key(challenge.user_id)
        return challenge, await _charge_code(context, challenge.user_id, key)
    except Exception:
        await _give_attempt_back(context, challenge)
        raise


async def _give_attempt_back(context: Context, challenge: Challenge) -> None:
    # What has happened before is what is answered, whether or not the database still lets this be given back.
    with suppress(ServiceUnavailable):
        async with context.database.connection() as connection:
            await db.challenges.give_back(connection, challenge.id)


async def _after_wrong_code(context: Context, user_id: UUID, charged: Charge, error: WrongGuess) -> None:
    is_told = rules.throttling.is_told(charged.count) and not error.is_replay
    if charged.remaining > 0 and not is_told and not error.is_replay:
        return
    async with context.database.transaction() as connection:
        if charged.remaining == 0:
            closed = await db.throttles.closed(connection, charged.key, rules.throttling.SECOND_FACTOR)
            until = closed.retry_at if closed else None
            await _append_code_lock(context, connection, user_id, charged.key, until, error.method)
        if error.is_replay:
            await db.outbox.append(
                connection, CodeReplayed(subject_id=user_id, client=context.client, amr=error.method)
            )
        if is_told:
            rejected = CodeRejected(subject_id=user_id, client=context.client, count=charged.count, amr=error.method)
            await db.outbox.append(connection, rejected)


async def _record_code_lock(context: Context, user_id: UUID, key: str, until: datetime) -> None:
    async with context.database.transaction() as connection:
        await _append_code_lock(context, connection, user_id, key, until)


async def _append_code_lock(
    context: Context, connection: Connection, user_id: UUID, key: str, until: datetime | None, method: str | None = None
) -> None:
    """Append the lock once, however many requests run into it."""
    if until and await db.throttles.record_lock(connection, key, until):
        is_of_new_app = key != rules.throttling.second_factor_key(user_id)
        kind = "first-code" if is_of_new_app else "code"
        locked = MfaChallengeLocked(
            subject_id=user_id,
            client=context.client,
            until=until,
            is_mailed=await resolvers.guessing.charged.is_mail_due(connection, user_id, kind),
            amr=method,
            is_of_new_app=is_of_new_app,
        )
        await db.outbox.append(connection, locked)
        metrics.LOCK_OUTS.labels("second_factor").inc()
