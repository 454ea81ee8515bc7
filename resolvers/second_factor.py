"""Code entry: every guess is charged before it is looked at, and a lock becomes one event."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from db import outbox, throttles
from db.factors import Factor
from db.pool import Database
from rules import totp
from rules.clients import Client
from rules.events.signing_in import MfaChallengeLocked
from rules.failures import Failure, InvalidCode, TooManyAttempts
from rules.people import Person
from rules.sealing import KeyRing
from rules.throttling import SECOND_FACTOR, Charge, second_factor_key

TOTP_PURPOSE = "totp secret"
WRONG_CODE = "That code is not right. Enter the code that your authenticator app shows now."


async def charge(database: Database, user_id: UUID, client: Client) -> Charge:
    """Charge one guess of the person's second factor. Raises TooManyAttempts."""
    try:
        async with database.connection() as connection:
            return await throttles.charge(connection, second_factor_key(user_id), SECOND_FACTOR)
    except TooManyAttempts as locked:
        await record_lock(database, user_id, locked.retry_at, client)
        raise


@asynccontextmanager
async def given_back_on(database: Database, charges: list[Charge], *failures: type[Failure]) -> AsyncIterator[None]:
    """Give the charges back when one of these ends the request: the guess was not looked at, or it was right."""
    try:
        yield
    except failures:
        async with database.transaction() as connection:
            for charged in charges:
                await throttles.refund(connection, charged)
        raise


async def after_wrong(database: Database, user_id: UUID, charged: Charge, client: Client) -> None:
    """A charged guess was wrong: when it was the last one allowed, the lock becomes an event."""
    if charged.remaining > 0:
        return
    async with database.connection() as connection:
        until = await throttles.retry_at(connection, charged.key, SECOND_FACTOR)
    await record_lock(database, user_id, until, client)


async def record_lock(database: Database, user_id: UUID, until: datetime, client: Client) -> None:
    """Record the lock once, however many requests run into it."""
    async with database.transaction() as connection:
        if await throttles.record_lock(connection, second_factor_key(user_id), until):
            await outbox.append(connection, MfaChallengeLocked(subject_id=user_id, client=client, until=until))


async def wrong(database: Database, person: Person, charged: Charge, client: Client, message: str) -> InvalidCode:
    """What to raise for a wrong code given by someone signed in."""
    await after_wrong(database, person.id, charged, client)
    return InvalidCode(message, charged.remaining)


def matching_step(ring: KeyRing, factor: Factor, user_id: UUID, code: str) -> int | None:
    """The unspent time step whose code this is."""
    secret = ring.open(factor.secret, TOTP_PURPOSE, user_id)
    return totp.matching_step(secret, code, factor.now, factor.last_step)
