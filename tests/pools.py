"""Pools that stay open for the tests that use a database next.

To a new connection each statement is new: for most tests the server would take longer to plan them than to run them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import asyncpg

import db.pool
from db.bell import Bell
from db.pool import Database, Patience, Pool
from db.shares import Whose
from telemetry import metrics
from tests.waiting import until

# By the URL of a database that tests use again: its pools that nobody uses, by all that they were opened with.
_spare: dict[str, dict[Any, Pool]] = {}
_backends: dict[Pool, list[int]] = {}


class Kept(Database):
    """A database of one test, whose pool stays when it is closed."""

    def __init__(self, pool: Pool, bell: Bell, patience: Patience, whose: Whose, keep: Callable[[], None]) -> None:
        super().__init__(pool, bell, patience, whose)
        self._keep = keep

    async def close(self) -> None:
        """Close all but the pool; that, too, when a connection of it does not answer any more."""
        await until(lambda: self.pool.get_idle_size() == self.pool.get_size(), "all connections are given back")
        try:
            async with AsyncExitStack() as stack:
                count = self.pool.get_idle_size()
                connections = [await stack.enter_async_context(self.pool.acquire()) for _ in range(count)]
                _backends[self.pool] = [await each.fetchval("SELECT pg_backend_pid()") for each in connections]
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await super().close()
            return
        metrics.POOLS.remove(self.pool)
        await self.bell.close()
        self._keep()


async def open_kept(
    url: str, size: int, name: str, patience: Patience, *, through_pooler: bool, whose: Whose
) -> Database:
    """What `db.pool.open_database` opens; with a pool that was used before, if the database is one of those."""
    spare, key = _spare.get(url), (size, name, patience, through_pooler)
    if spare is None:
        return await db.pool.open_database(url, size, name, patience, through_pooler=through_pooler, whose=whose)
    if pool := spare.pop(key, None):
        metrics.POOLS.add(pool)
    else:
        pool = (await db.pool.open_database(url, size, name, patience, through_pooler=through_pooler)).pool
    return Kept(pool, Bell(url), patience, whose, lambda: _keep(url, key, pool))


def _keep(url: str, key: Any, pool: Pool) -> None:
    spare = _spare.get(url)
    if spare is None or key in spare:  # a second server of the same test
        pool.terminate()
    else:
        spare[key] = pool


def stay(url: str) -> None:
    """Keep this database's pools from now on."""
    _spare.setdefault(url, {})


def backends(url: str) -> list[int]:
    """The server's processes behind the database's spare pools."""
    return [backend for pool in _spare.get(url, {}).values() for backend in _backends[pool]]


def end(url: str) -> None:
    """Keep none of them any longer."""
    for pool in _spare.pop(url, {}).values():
        del _backends[pool]
        pool.terminate()


def end_all() -> None:
    """Keep none of any database."""
    for url in list(_spare):
        end(url)
