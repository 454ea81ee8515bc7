"""The pool, and the transaction that every change and its event share."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from db.bell import Bell
from rules.failures import ServiceUnavailable

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
else:
    Connection = asyncpg.Connection
    Pool = asyncpg.Pool

ACQUIRE_TIMEOUT_S = 3
COMMAND_TIMEOUT_S = 30

# What says that the database is away or too busy with others, not that a statement is wrong.
AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.InterfaceError,
)


class Database:
    """One process's way to PostgreSQL: a pool, and the bell that tells others of new events."""

    def __init__(self, pool: Pool, bell: Bell) -> None:
        self.pool = pool
        self.bell = bell

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection without a transaction: each statement stands alone. Raises ServiceUnavailable."""
        try:
            async with self.pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
                yield connection
        except AWAY as error:
            raise ServiceUnavailable from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A READ COMMITTED transaction; rings the bell once it is committed. Raises ServiceUnavailable."""
        async with self.connection() as connection:
            async with connection.transaction():
                yield connection
            self.bell.ring()

    async def close(self) -> None:
        """Close the bell, then the pool once its connections are given back."""
        await self.bell.close()
        await self.pool.close()


async def open_database(url: str, size: int = 10, name: str = "gatehouse") -> Database:
    """Open a pool of at most `size` connections to `url`, shown to the server as `name`."""
    pool = await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        init=_init,
        reset=_reset,
        command_timeout=COMMAND_TIMEOUT_S,
        timeout=ACQUIRE_TIMEOUT_S,
        server_settings={
            "application_name": name,
            "timezone": "UTC",
            "lock_timeout": "10s",
            "idle_in_transaction_session_timeout": "60s",
        },
    )
    return Database(pool, Bell(url))


async def _init(connection: Connection) -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)


async def _reset(connection: Connection) -> None:
    # The pool's own reset is a round trip for session state that we never set.
    if connection.is_in_transaction():
        await connection.execute("ROLLBACK")
