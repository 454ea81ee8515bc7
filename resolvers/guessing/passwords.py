"""Guesses at passwords: each at a door, which its own failures close, and sooner while many are tried elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

import db.outbox
import db.throttles
import resolvers.guessing.charged
import rules.devices
import rules.throttling
from db.pool import Connection
from db.users import Credentials
from resolvers.context import Context
from resolvers.guessing.charged import Guess, WrongGuess
from resolvers.hashing import Asker
from rules.events.signing_in import Lock, PasswordRejected, SignInLocked, SignInSlowed
from rules.failures import Failure, InvalidCredentials
from rules.throttling import Charge, Limits, Tally
from telemetry import metrics


@dataclass(frozen=True)
class Door:
    """Where a password is tried, and what closes it: its own failures, sooner while one of the tallies is full."""

    key: str
    limits: Limits
    tallies: list[tuple[str, Tally]] = field(default_factory=list)
    # Strangers of one address share a turn, whosever password each of them tries.
    address: str | None = None

    @property
    def asker(self) -> Asker:
        """For whom the password is hashed."""
        return Asker(self.address or self.key, is_stranger=self.address is not None)

    @property
    def place(self) -> str:
        """Where a challenge is opened: whoever knows a password displaces none on a device that is the person's."""
        return self.key if self.address is None else rules.throttling.STRANGERS


def sign_in_door(context: Context, email: str, known: Credentials | None) -> Door:
    """The door of a sign-in: the person's own on a device that has seen them by this password, or a stranger's."""
    ring, cookie = context.service.ring, context.device_cookie
    device = known and rules.devices.known_as(ring, cookie, known.id, known.now, known.devices_since)
    if known and device:
        return Door(rules.throttling.device_key(known.id, device), rules.throttling.PROVEN)
    address = context.client.ip_address
    network = rules.throttling.network_key(email, address)
    address_key = rules.throttling.address_key(address)
    return Door(
        rules.throttling.password_key(email, address),
        rules.throttling.STRANGER,
        [
            (rules.throttling.email_key(email), rules.throttling.EMAIL_TALLY),
            *([(network, rules.throttling.NETWORK_TALLY)] if network else []),
            (address_key, rules.throttling.ADDRESS_TALLY),
        ],
        address_key,
    )


def session_door(user_id: UUID) -> Door:
    """The door of somebody who is signed in already."""
    return Door(rules.throttling.session_key(user_id), rules.throttling.PROVEN)


@asynccontextmanager
async def at_door(context: Context, door: Door, known: Credentials | None) -> AsyncIterator[Guess]:
    """A guess at a password, in its turn. Raises InvalidCredentials, TooManyAttempts, RateLimited.

    What is closed already is refused before it would wait, and holds no place in the queue.
    """
    queues = context.service.queues
    if not queues.has_room(door.key):
        async with context.database.connection() as connection:
            closed = await db.throttles.closed(connection, door.key, door.limits)
        if closed is not None:
            raise closed
    async with queues.of(door.key):
        async with context.database.connection() as connection:
            charged = await db.throttles.charge(
                connection, door.key, door.limits, door.tallies, rules.throttling.WATCHED_STRANGER
            )

        async def wrong(error: WrongGuess) -> Failure:
            await _after_wrong_password(context, known, door, charged)
            return InvalidCredentials()

        async with resolvers.guessing.charged.looked_at(context, charged, wrong) as guess:
            yield guess


async def _after_wrong_password(context: Context, known: Credentials | None, door: Door, charged: Charge) -> None:
    """Record what is to be told. Whether the person is known must not show in how long it takes."""
    is_told = rules.throttling.is_told(charged.count)
    is_slowed = bool(door.tallies) and charged.count >= rules.throttling.EMAIL_TALLY.most
    # Slowed, each single guess closes its door: the one event of the hour tells of all of them.
    is_closed = charged.remaining == 0 and not is_slowed
    if not (is_told or is_closed or is_slowed):
        return
    until = charged.at + door.limits.lock[1]
    next_slowed_at = charged.at + rules.throttling.LOCK_MAIL_INTERVAL
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
                        PasswordRejected(subject_id=user_id, client=context.client, count=charged.count),
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
    is_mailed = await resolvers.guessing.charged.is_mail_due(connection, user_id, "password")
    if until is None:
        return SignInSlowed(subject_id=user_id, client=context.client, is_mailed=is_mailed)
    return SignInLocked(subject_id=user_id, client=context.client, until=until, is_mailed=is_mailed)
