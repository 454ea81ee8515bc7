"""What one request carries: its token, its client, the person behind it, and the way to the database and keys."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from db import users
from db.pool import Connection, Database
from resolvers.hashing import Hasher
from resolvers.hub import Hub
from resolvers.turns import Turns
from rules import devices, tokens
from rules.clients import Client
from rules.failures import ServiceUnavailable, Unauthenticated
from rules.people import Person
from rules.sealing import KeyRing

LONGEST_TURN_S = 6.0


@dataclass(frozen=True)
class Service:
    """What all requests of a process share."""

    database: Database
    ring: KeyRing
    hasher: Hasher
    turns: Turns
    issuer: str
    hub: Hub


@dataclass
class Context:
    """One request. The transport sends `response_headers` with its answer, and sets or clears the cookie by them."""

    service: Service
    client: Client
    request_id: str
    token: str | None
    takes_cookies: bool = True
    device_cookie: str | None = None
    response_headers: list[tuple[str, str]] = field(default_factory=list)
    _person: asyncio.Task[Person | None] | None = field(default=None, init=False, repr=False)

    @property
    def database(self) -> Database:
        """The database."""
        return self.service.database

    @asynccontextmanager
    async def changing(self, whose: UUID) -> AsyncIterator[Connection]:
        """A transaction that locks a row of this account, or person: three at once wait for it, the others in line.

        So one row that somebody holds never takes the whole pool. Raises ServiceUnavailable and RateLimited.
        """
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout(LONGEST_TURN_S):
                    await held.enter_async_context(self.service.turns.of(str(whose)))
            except TimeoutError:
                raise ServiceUnavailable from None
            yield await held.enter_async_context(self.database.transaction())

    async def person_or_none(self) -> Person | None:
        """The person signed in, loaded once; None without a live session."""
        if self._person is None:
            # A task, since query fields resolve in parallel and must share the one load.
            self._person = asyncio.ensure_future(self._load())
        return await asyncio.shield(self._person)

    async def person(self) -> Person:
        """The person signed in. Raises Unauthenticated."""
        person = await self.person_or_none()
        if person is None:
            raise Unauthenticated
        return person

    async def reload(self) -> Person:
        """The person as they are after a change. Raises Unauthenticated."""
        self._person = None
        return await self.person()

    def sign_in_as(self, token: str, *, use_cookie: bool) -> None:
        """Go on as the owner of a new session, which `use_cookie` keeps in a cookie."""
        self.token = token
        self._person = None

    def know_device(self, user_id: UUID, now: datetime) -> None:
        """Remember that the person has signed in on this device, as far as it takes cookies."""
        if self.takes_cookies:
            randomness = secrets.token_bytes(devices.RANDOM_BYTES)
            self.device_cookie = devices.remember(self.service.ring, self.device_cookie, user_id, now, randomness)

    def sign_out(self) -> None:
        """Go on as nobody."""
        self.token = None
        self._person = None

    async def _load(self) -> Person | None:
        token_hash = tokens.digest(tokens.SESSION_PREFIX, self.token) if self.token else None
        if token_hash is None:
            return None
        async with self.database.connection() as connection:
            return await users.person_of_session(connection, token_hash)
