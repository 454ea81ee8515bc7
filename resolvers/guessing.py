"""Guesses at passwords and codes: each is charged before it is looked at, and given back unless it was wrong.

Within `async with`, whoever looks at the guess raises WrongGuess, and anything else that ends it gives the charge back.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

import db.challenges
import db.outbox
import db.throttles
import rules.devices
import rules.throttling
from db.challenges import Challenge
from db.pool import Connection
from db.users import Credentials
from resolvers.context import Context
from rules.events.signing_in import (
    CodeRejected,
    CodeReplayed,
    Lock,
    MfaChallengeLocked,
    PasswordRejected,
    SignInLocked,
    SignInSlowed,
)
from rules.failures import (
    ChallengeExpired,
    Failure,
    InvalidCode,
    InvalidCredentials,
    ServiceUnavailable,
    TooManyAttempts,
)
from rules.sealing import KeyMissingError
from rules.throttling import Charge, Limits, Tally
from telemetry import metrics

logger = logging.getLogger("gatehouse.guessing")


class WrongGuess(Exception):
    """The guess is wrong: leave the transaction and change nothing."""

    def __init__(
        self,
        message: str = "",
        clock_skew_seconds: int | None = None,
        *,
        method: str = "otp",
        is_replay: bool = False,
    ) -> None:
        super().__init__(message)
        self.clock_skew_seconds = clock_skew_seconds
        self.method = method
        # Right once, and spent: somebody has looked on.
        self.is_replay = is_replay


class NotACode(Exception):
    """What was typed cannot be a code: there is nothing to guess by it, so it costs no guess."""


@dataclass
class Guess:
    """A guess that has been charged."""

    charged: Charge
    is_given_back: bool = False

    async def give_back(self, connection: Connection) -> None:
        """It was right: give it back in the transaction of what follows. Last, since throttles are locked last."""
        await db.throttles.give_back(connection, self.charged)
        self.is_given_back = True


@asynccontextmanager
async def of_code(context: Context, user_id: UUID) -> AsyncIterator[Guess]:
    """A guess at the second factor of someone signed in. Raises InvalidCode, TooManyAttempts."""
    await context.settle()  # guesses are charged for themselves, beside no change that could be taken back
    charged = await _charge_code(context, user_id)

    async def wrong(error: WrongGuess) -> Failure:
        await _after_wrong_code(context, user_id, charged, error)
        return InvalidCode(str(error), charged.remaining, error.clock_skew_seconds)

    try:
        async with _looked_at(context, charged, wrong) as guess:
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
        async with _looked_at(context, charged, wrong) as guess:
            yield guess, challenge
    except (InvalidCode, ChallengeExpired):
        raise
    except Exception as error:
        async with context.database.connection() as connection:
            await db.challenges.give_back(connection, challenge.id)
        if isinstance(error, NotACode):
            raise InvalidCode(str(error), min(left, charged.remaining) + 1) from None
        raise


@dataclass(frozen=True)
class Door:
    """Where a password is tried, and what closes it: its own failures, sooner while one of the tallies is full."""

    key: str
    limits: Limits
    tallies: list[tuple[str, Tally]] = field(default_factory=list)


def sign_in_door(context: Context, email: str, known: Credentials | None) -> Door:
    """The door of a sign-in: the person's own on a device that they have signed in on before, or a stranger's."""
    device = known and rules.devices.known_as(context.service.ring, context.device_cookie, known.id, known.now)
    if known and device:
        return Door(rules.throttling.device_key(known.id, device), rules.throttling.PROVEN)
    address = context.client.ip_address
    network = rules.throttling.network_key(email, address)
    return Door(
        rules.throttling.password_key(email, address),
        rules.throttling.STRANGER,
        [
            (rules.throttling.email_key(email), rules.throttling.EMAIL_TALLY),
            *([(network, rules.throttling.NETWORK_TALLY)] if network else []),
            (rules.throttling.address_key(address), rules.throttling.ADDRESS_TALLY),
        ],
    )


def session_door(user_id: UUID) -> Door:
    """The door of somebody who is signed in already."""
    return Door(rules.throttling.session_key(user_id), rules.throttling.PROVEN)


@asynccontextmanager
async def of_password(context: Context, door: Door, known: Credentials | None) -> AsyncIterator[Guess]:
    """A guess at a password, in its turn. Raises InvalidCredentials, TooManyAttempts, RateLimited.

    What is closed already is refused first, and holds no place in the queue.
    """
    async with context.database.connection() as connection:
        closed = await db.throttles.closed(connection, door.key, door.limits)
    if closed is not None:
        raise closed
    async with context.service.turns.of(door.key):
        attempt = await _charge_password(context, door)

        async def wrong(error: WrongGuess) -> Failure:
            await _after_wrong_password(context, known, door, attempt)
            return InvalidCredentials()

        async with _looked_at(context, attempt.charged, wrong) as guess:
            yield guess


@asynccontextmanager
async def _looked_at(
    context: Context, charged: Charge, wrong: Callable[[WrongGuess], Awaitable[Failure]]
) -> AsyncIterator[Guess]:
    guess = Guess(charged)
    try:
        yield guess
    except WrongGuess as error:
        raise await wrong(error) from None
    except Exception as error:
        with suppress(ServiceUnavailable):
            await _give_back(context, charged)
        if isinstance(error, KeyMissingError):
            logger.error("%s", error)
            raise ServiceUnavailable from error
        raise
    if not guess.is_given_back:
        await _give_back(context, charged)


async def _give_back(context: Context, charged: Charge) -> None:
    async with context.database.connection() as connection:
        await db.throttles.give_back(connection, charged)


async def _charge_code(context: Context, user_id: UUID) -> Charge:
    try:
        async with context.database.connection() as connection:
            return await db.throttles.charge(
                connection, rules.throttling.second_factor_key(user_id), rules.throttling.SECOND_FACTOR
            )
    except TooManyAttempts as locked:
        await _record_code_lock(context, user_id, locked.retry_at)
        raise


async def _charge_challenge(context: Context, token_hash: bytes) -> tuple[Challenge, Charge]:
    user_id: UUID | None = None
    try:
        async with context.database.transaction() as connection:
            challenge = await db.challenges.charge(connection, token_hash)
            if challenge is None:
                raise ChallengeExpired
            user_id = challenge.user_id
            key = rules.throttling.second_factor_key(user_id)
            return challenge, await db.throttles.charge(connection, key, rules.throttling.SECOND_FACTOR)
    except TooManyAttempts as locked:
        assert user_id is not None
        await _record_code_lock(context, user_id, locked.retry_at)
        raise


async def _after_wrong_code(context: Context, user_id: UUID, charged: Charge, error: WrongGuess) -> None:
    is_told = rules.throttling.is_told(charged.count) and not error.is_replay
    if charged.remaining > 0 and not is_told and not error.is_replay:
        return
    async with context.database.transaction() as connection:
        if charged.remaining == 0:
            closed = await db.throttles.closed(connection, charged.key, rules.throttling.SECOND_FACTOR)
            until = closed.retry_at if closed else None
            await _append_code_lock(context, connection, user_id, until, error.method)
        if error.is_replay:
            await db.outbox.append(
                connection, CodeReplayed(subject_id=user_id, client=context.client, amr=error.method)
            )
        if is_told:
            rejected = CodeRejected(subject_id=user_id, client=context.client, count=charged.count, amr=error.method)
            await db.outbox.append(connection, rejected)


async def _record_code_lock(context: Context, user_id: UUID, until: datetime) -> None:
    async with context.database.transaction() as connection:
        await _append_code_lock(context, connection, user_id, until)


async def _append_code_lock(
    context: Context, connection: Connection, user_id: UUID, until: datetime | None, method: str | None = None
) -> None:
    """Append the lock once, however many requests run into it."""
    if until and await db.throttles.record_lock(connection, rules.throttling.second_factor_key(user_id), until):
        is_mailed = await _is_mail_due(connection, user_id, "code")
        locked = MfaChallengeLocked(
            subject_id=user_id, client=context.client, until=until, is_mailed=is_mailed, amr=method
        )
        await db.outbox.append(connection, locked)
        metrics.LOCK_OUTS.labels("second_factor").inc()


@dataclass(frozen=True)
class _Attempt:
    """A charged guess at a password, and how often that was wrong today."""

    charged: Charge
    failures_today: int


async def _charge_password(context: Context, door: Door) -> _Attempt:
    async with context.database.transaction() as connection:
        # All or none: a refusal of the last rolls the others back.
        counts = [await db.throttles.count(connection, key, tally.span) for key, tally in door.tallies]
        is_watched = any(count > tally.most for count, (_, tally) in zip(counts, door.tallies, strict=True))
        limits = rules.throttling.WATCHED_STRANGER if is_watched else door.limits
        charged = await db.throttles.charge(connection, door.key, limits)
    keys = (*(key for key, _ in door.tallies), *charged.keys)
    failures_today = counts[0] if counts else charged.count
    return _Attempt(Charge(keys, charged.at, charged.remaining), failures_today)


async def _after_wrong_password(context: Context, known: Credentials | None, door: Door, attempt: _Attempt) -> None:
    """Record what is to be told. Whether the person is known must not show in how long it takes."""
    is_told = rules.throttling.is_told(attempt.failures_today)
    is_slowed = bool(door.tallies) and attempt.failures_today >= rules.throttling.EMAIL_TALLY.most
    # Slowed, each single guess closes its door: the one event of the hour tells of all of them.
    is_closed = attempt.charged.remaining == 0 and not is_slowed
    if not (is_told or is_closed or is_slowed):
        return
    until = attempt.charged.at + door.limits.lock[1]
    next_slowed_at = attempt.charged.at + rules.throttling.LOCK_MAIL_INTERVAL
    async with context.database.transaction() as connection:
        # In the order in which a charge locks them.
        is_slowed = is_slowed and await db.throttles.record_lock(connection, door.tallies[0][0], next_slowed_at)
        await db.throttles.touch(connection, door.key)
        is_closed = is_closed and await db.throttles.record_lock(connection, door.key, until)
        if is_closed or is_slowed:
            metrics.LOCK_OUTS.labels("password").inc()
        with suppress(_NobodyThere):
            # Of nobody the same is written, and taken back: what it takes must not tell who is known.
            async with connection.transaction():
                user_id = known.id if known else uuid4()
                if is_told:
                    await db.outbox.append(
                        connection,
                        PasswordRejected(subject_id=user_id, client=context.client, count=attempt.failures_today),
                    )
                if is_closed or is_slowed:
                    await db.outbox.append(
                        connection, await _password_lock(context, connection, user_id, until if is_closed else None)
                    )
                if known is None:
                    raise _NobodyThere


class _NobodyThere(Exception):
    pass


async def _password_lock(context: Context, connection: Connection, user_id: UUID, until: datetime | None) -> Lock:
    """A door that was closed until then, or else the slowing down of all strangers'."""
    is_mailed = await _is_mail_due(connection, user_id, "password")
    if until is None:
        return SignInSlowed(subject_id=user_id, client=context.client, is_mailed=is_mailed)
    return SignInLocked(subject_id=user_id, client=context.client, until=until, is_mailed=is_mailed)


async def _is_mail_due(connection: Connection, user_id: UUID, kind: str) -> bool:
    # By kind, so that whoever gets the password, too, is told of at once.
    key = rules.throttling.lock_mail_key(user_id, kind)
    return await db.throttles.is_due(connection, key, rules.throttling.LOCK_MAIL_INTERVAL)
