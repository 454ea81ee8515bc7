"""What one request carries: its token, its client, the person behind it, and the way to the database and keys."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING
from uuid import UUID

import db.feed
import db.service_keys
import db.users
import rules.devices
import rules.tokens
from db.feed import Position
from db.pool import Connection, Database
from db.shares import AT_ONCE
from resolvers.hashing import Hasher
from resolvers.held import Held
from resolvers.hub import Hub
from resolvers.queues import Queues
from resolvers.shared import Shared
from rules.clients import Client
from rules.failures import Forbidden, ServiceUnavailable, Unauthenticated
from rules.languages import ENGLISH
from rules.people import Person, TimeLimits
from rules.sealing import KeyRing
from rules.service_keys import Right, ServiceKey
from telemetry import requests

if TYPE_CHECKING:
    from oidc.provider import Provider

NO_KEY = "Only a service may ask this: send a service key."
WRONG_KEY = "This service key is unknown, revoked or expired."

LONGEST_WAIT_S = 6.0


@dataclass(frozen=True)
class Service:
    """What all requests of a process share."""

    database: Database
    ring: KeyRing
    hasher: Hasher
    queues: Queues
    issuer: str
    product: str
    hub: Hub
    limits: TimeLimits
    production: bool = False
    webhook_allow_private: bool = False
    providers: Mapping[str, Provider] = field(default_factory=dict)


@dataclass
class Context:
    """One request. The transport sends `response_headers` with its answer, and sets or clears the cookie by them."""

    service: Service
    client: Client
    request_id: str
    token: str | None
    takes_cookies: bool = True
    token_is_cookie: bool = False
    device_cookie: str | None = None
    language: str = ENGLISH
    response_headers: list[tuple[str, str]] = field(default_factory=list)
    # Where the feed was as the connection began over which a watch comes; None where the watch itself is the beginning.
    watches_from: Position | None = field(default=None, init=False, repr=False)
    # The accounts that a platform operator has been seen to look at in this request.
    viewed: set[UUID] = field(default_factory=set, init=False)
    _person: Shared[Person | None] | None = field(default=None, init=False, repr=False)
    # Kept apart: a service that signs somebody in stays a service for what else it asks.
    _service_token: str | None = field(default=None, init=False, repr=False)
    _service_key: Shared[ServiceKey | None] | None = field(default=None, init=False, repr=False)
    _hashed: tuple[str | None, bytes | None] | None = field(default=None, init=False, repr=False)
    # Whether the changes of the mutation under way wait for their answer to be stored with them; and the one that does.
    holds_changes: bool = field(default=False, init=False, repr=False)
    _held: Held | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        """Tell a service from a person by the token, and the request's events where it comes from."""
        requests.comes_from(ipAddress=self.client.ip_address, userAgent=self.client.user_agent)
        if self.token is not None and self.token.startswith(rules.tokens.SERVICE_PREFIX):
            self._service_token = self.token

    @property
    def database(self) -> Database | Held:
        """The database, as the change that is held has left it."""
        return self._held or self.service.database

    @asynccontextmanager
    async def changing(self, whose: UUID | None = None) -> AsyncIterator[Connection]:
        """A transaction that locks a row of this account, or person: three at once wait for it, the others in line.

        So one row that somebody holds never takes the whole pool. With an idempotency key it is committed with the
        mutation's answer, see resolvers.once. Raises ServiceUnavailable and RateLimited.
        """
        if self._held:
            async with self._held.transaction() as connection:
                yield connection
            return
        async with AsyncExitStack() as stack:
            if whose is not None:
                has_room = self.service.queues.has_room(str(whose))
                try:
                    async with AT_ONCE if has_room else asyncio.timeout(LONGEST_WAIT_S):
                        await stack.enter_async_context(self.service.queues.of(str(whose)))
                except TimeoutError:
                    raise ServiceUnavailable from None
            connection = await stack.enter_async_context(self.service.database.transaction())
            yield connection
            if self.holds_changes:
                self._held = Held(connection, stack.pop_all())

    async def feed_now(self) -> Position:
        """Where the feed of events is. Raises ServiceUnavailable."""
        async with self.service.database.connection() as connection:
            return await db.feed.now(connection)

    async def settle(self) -> None:
        """Commit what is held."""
        if (held := self._take_held()) is not None:
            await held.commit()

    async def abandon(self, error: BaseException) -> None:
        """Take back what is held, because of the error. Raises ServiceUnavailable where the database has caused it."""
        if (held := self._take_held()) is not None:
            await held.roll_back(error)

    def _take_held(self) -> Held | None:
        held, self._held = self._held, None
        return held

    async def person_or_none(self) -> Person | None:
        """The person signed in, loaded once; None without a live session."""
        if self._person is None:
            self._person = Shared(self._load)
        return await self._person.get()

    async def person(self) -> Person:
        """The person signed in. Raises Unauthenticated."""
        person = await self.person_or_none()
        if person is None:
            raise Forbidden("A service key cannot act as a person.") if self.is_service else Unauthenticated
        _acts(person)
        return person

    async def recovering_person(self) -> Person | None:
        """The person of a session that a recovery pass started, which to all else is no session; None without one."""
        person = await self._load(is_recovery=True)
        if person is not None:
            _acts(person)
        return person

    async def whoever_leaves(self) -> Person | None:
        """The person of a session of either kind, who ends it; None without one."""
        return await self.person() if await self.person_or_none() else await self.recovering_person()

    @property
    def is_service(self) -> bool:
        """Whether a product's system asks, with a service key."""
        return self._service_token is not None

    async def service_key(self, *rights: Right, over: Connection | None = None) -> ServiceKey:
        """The service key that the request came with, given any of these rights. Raises Unauthenticated, Forbidden.

        Looked up `over` a connection that is held, it waits for no other field's look, which may wait for a connection.
        """
        key_hash = self._service_key_hash
        if key_hash is None:
            raise Unauthenticated(WRONG_KEY if self.is_service else NO_KEY)
        if self._service_key is None:
            self._service_key = Shared(partial(self._find_service_key, key_hash))
        if over is not None and not self._service_key.has_come:
            self._service_key.come(await db.service_keys.find(over, key_hash))
        key = await self._service_key.get()
        if key is None:
            raise Unauthenticated(WRONG_KEY)
        key.require_any(*rights)
        return key

    async def reload(self) -> Person:
        """The person as they are after a change. Raises Unauthenticated."""
        self._person = None
        return await self.person()

    def sign_in_as(self, token: str, *, use_cookie: bool) -> None:
        """Go on as the owner of a new session, which `use_cookie` keeps in a cookie."""
        self.token, self.token_is_cookie = token, use_cookie
        self._person = None

    def replaced_by_cookie(self, *, use_cookie: bool) -> bytes | None:
        """The digest of the cookie in whose place a new session's goes: nobody but a copy's holder goes on by it."""
        return self.token_hash if use_cookie and self.token_is_cookie else None

    async def go_on_as(self, token: str | None) -> Person:
        """The person after a change of theirs, under the session's new token, if it has got one."""
        if token is not None:
            self.sign_in_as(token, use_cookie=True)
        return await self.reload()

    def go_on_with(self, token: str | None) -> None:
        """Go on in the session that an answer of before has begun, renewed or ended."""
        self.token = token
        self._person = None

    def know_device(self, user_id: UUID, now: datetime, since: datetime | None = None) -> None:
        """Remember that the person has signed in on this device, as far as it takes cookies.

        `since` is when they have just set a password on it.
        """
        if self.takes_cookies and not self.is_service:
            randomness = secrets.token_bytes(rules.devices.RANDOM_BYTES)
            ring, cookie = self.service.ring, self.device_cookie
            self.device_cookie = rules.devices.remember(ring, cookie, user_id, now, randomness, since)

    def sign_out(self) -> None:
        """Go on as nobody."""
        self.token = None
        self._person = None

    @cached_property
    def _service_key_hash(self) -> bytes | None:
        return rules.tokens.digest(rules.tokens.SERVICE_PREFIX, self._service_token or "")

    @property
    def token_hash(self) -> bytes | None:
        if self._hashed is None or self._hashed[0] != self.token:
            self._hashed = (
                self.token,
                rules.tokens.digest(rules.tokens.SESSION_PREFIX, self.token) if self.token else None,
            )
        return self._hashed[1]

    async def _find_service_key(self, key_hash: bytes) -> ServiceKey | None:
        async with self.database.connection() as connection:
            return await db.service_keys.find(connection, key_hash)

    async def _load(self, *, is_recovery: bool = False) -> Person | None:
        token_hash = self.token_hash
        if token_hash is None:
            return None
        async with self.database.connection() as connection:
            return await db.users.person_of_session(
                connection, token_hash, self.service.limits, is_recovery=is_recovery
            )


def _acts(person: Person) -> None:
    """Tell the request's events by what the session's person was recognised."""
    requests.comes_from(sessionMethod=" ".join(person.amr) or None)
