"""The pool, and the transaction that every change and its event share."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

import db.away
import db.pooler
from db.bell import Bell
from db.seldom import Seldom
from db.shares import Shares, Whose
from rules.failures import UNSURE, ServiceUnavailable
from telemetry import metrics

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
else:
    Connection = asyncpg.Connection
    Pool = asyncpg.Pool

ACQUIRE_TIMEOUT_S = 3
# A part that begins while the machine has no time for it would end again; requests are refused sooner, and try again.
OPENING_TRIES = 3

log = logging.getLogger("gatehouse.database")


@dataclass(frozen=True)
class Patience:
    """How long a lock, a statement, and a whole block of statements with the wait for its connection may take."""

    lock_s: int
    statement_s: int
    block_s: float | None = None


REQUESTS = Patience(lock_s=2, statement_s=6, block_s=6)
WORK = Patience(lock_s=10, statement_s=30)


class Database:
    """One process's way to PostgreSQL: a pool, and the bell that tells others of new events."""

    def __init__(self, pool: Pool, bell: Bell, patience: Patience, whose: Whose = lambda: None) -> None:
        self.pool = pool
        self._shares = Shares(max(1, pool.get_max_size() // 2), whose, ACQUIRE_TIMEOUT_S)
        self.bell = bell
        self._patience = patience
        self._trouble = Seldom(log)

    @asynccontextmanager
    async def connection(self, within_s: float | None = None) -> AsyncIterator[Connection]:
        """A connection without a transaction: each statement stands alone. Raises ServiceUnavailable.

        It is ended when the block has not come to its end in time, so that a server that says nothing holds nobody.
        Nobody has more than half of the pool at once.
        """
        async with self._shares.one(), self._connection(within_s) as connection:
            yield connection

    @asynccontextmanager
    async def _connection(self, within_s: float | None) -> AsyncIterator[Connection]:
        loop = asyncio.get_running_loop()
        began_at, limit_s = loop.time(), within_s or self._patience.block_s
        # A limit in time costs as much as the pool itself, and one that is idle is there at once.
        wait_s = None if self.pool.get_idle_size() else ACQUIRE_TIMEOUT_S
        try:
            connection = await self.pool.acquire(timeout=wait_s)
            release_s: float | None = ACQUIRE_TIMEOUT_S
            end = limit_s and loop.call_at(began_at + limit_s, connection.terminate)
            try:
                yield connection
                release_s = wait_s
            except Exception as error:
                if db.away.has_left(error):
                    await self.pool.expire_connections()
                raise
            finally:
                if end:
                    end.cancel()
                await self.pool.release(connection, timeout=release_s)
        except Exception as error:
            if not db.away.is_away(error):
                raise
            self._trouble.warning("The database cannot be used now: %s.", type(error).__name__)
            raise ServiceUnavailable from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A READ COMMITTED transaction; rings the bell once it is committed. Raises ServiceUnavailable.

        Where the way to the database ends amid the commit, that says that nobody knows whether it holds.
        """
        is_to_hold = False
        try:
            async with self.connection() as connection:
                async with connection.transaction():
                    yield connection
                    is_to_hold = True
                self.bell.ring()
        except ServiceUnavailable as error:
            if is_to_hold and error.__cause__ and db.away.is_unsure(error.__cause__):
                raise ServiceUnavailable(UNSURE) from error.__cause__
            raise

    async def close(self) -> None:
        """Close the bell, then the pool once its connections are given back."""
        metrics.POOLS.remove(self.pool)
        await self.bell.close()
        try:
            await self.pool.close()
        except Exception as error:
            if not db.away.is_away(error):
                raise
            self.pool.terminate()


async def open_database(
    url: str,
    size: int = 10,
    name: str = "gatehouse",
    patience: Patience = WORK,
    *,
    through_pooler: bool = False,
    whose: Whose = lambda: None,
) -> Database:
    """Open a pool of at most `size` connections to `url`, shown to the server as `name`.

    `through_pooler` is for a URL that may lead to another server with each transaction. `whose` says for whom the code
    runs that asks for a connection, who gets half of them at most. Raises what asyncpg raises; of a server that says
    nothing TimeoutError after 9 seconds.
    """
    shown = {"application_name": name, "timezone": "UTC"}
    limits = {
        "lock_timeout": f"{patience.lock_s}s",
        "statement_timeout": f"{patience.statement_s}s",
        "idle_in_transaction_session_timeout": "60s",
    }
    way: dict[str, Any] = {"server_settings": shown | limits, "connection_class": db.away.Ending}
    if through_pooler:
        way = {"server_settings": shown, "connection_class": db.pooler.limited(limits), "statement_cache_size": 0}
    way |= {"init": _init, "reset": _reset, "command_timeout": patience.statement_s, "timeout": ACQUIRE_TIMEOUT_S}
    for tries_left in reversed(range(OPENING_TRIES)):
        try:
            pool = await asyncpg.create_pool(url, min_size=1, max_size=size, **way)
            break
        except TimeoutError:
            if not tries_left:
                raise
    metrics.POOLS.add(pool)
    return Database(pool, Bell(url), patience, whose)


async def _init(connection: Connection) -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)


async def _reset(connection: Connection) -> None:
    # The pool's own reset is a round trip for session state that we never set.
    if connection.is_in_transaction():
        await connection.execute("ROLLBACK")
