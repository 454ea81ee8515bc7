"""The databases that tests run on: migrated, empty, and used again by the next test once they are empty again."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TypeAlias

import asyncpg
import pytest_asyncio

from db.migrate import migrate
from server.local.postgres import Postgres
from tests import pools
from tests.waiting import until

TEMPLATE = "gatehouse_template"
LARGEST_KEPT = 16 * 1024 * 1024  # bytes; dead rows would slow the tests that come after

# The newest row of the catalogues, whatever a test may set for a whole database, and what is taken to be migrated.
DEFINITIONS = """
    SELECT (
        SELECT xmin FROM pg_class ORDER BY age(xmin) LIMIT 1
    ), (
        SELECT xmin FROM pg_attribute ORDER BY age(xmin) LIMIT 1
    ), (
        SELECT xmin FROM pg_proc ORDER BY age(xmin) LIMIT 1
    ), (
        SELECT xmin FROM pg_trigger ORDER BY age(xmin) LIMIT 1
    ), (
        SELECT xmin FROM pg_constraint ORDER BY age(xmin) LIMIT 1
    ), (
        SELECT xmin FROM pg_index ORDER BY age(xmin) LIMIT 1
    ), (
        SELECT count(*) FROM pg_class
    ), (
        SELECT count(*) FROM pg_trigger
    ), (
        SELECT count(*) FROM pg_proc
    ), (
        SELECT count(*) FROM pg_db_role_setting AS s JOIN pg_database AS d ON d.oid = s.setdatabase
        WHERE d.datname = current_database()
    ), (
        SELECT string_agg(m::text, ',' ORDER BY m::text) FROM migrations AS m
    )
"""
EMPTY = """
DO $$
DECLARE kept record;
BEGIN
    PERFORM set_config('session_replication_role', 'replica', true);
    FOR kept IN
        SELECT c.oid::regclass AS name, c.relkind AS kind FROM pg_class AS c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'S') AND c.relname <> 'migrations'
    LOOP
        IF kept.kind = 'S' THEN
            PERFORM setval(kept.name, 1, false);
        ELSE
            EXECUTE format('DELETE FROM %s', kept.name);
        END IF;
    END LOOP;
END
$$
"""

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_numbers = count(1)
# The connection of each database that tests use again, by its URL: to connect anew takes longer than to empty it.
_kept: dict[str, Connection] = {}


@dataclass
class Databases:
    """One server's; `spare` are the names of those that nobody uses."""

    url: str
    administrator: Connection
    definitions: asyncpg.Record
    spare: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[str]:
        """The URL of an empty, migrated one, for as long as a test."""
        name = await self._take()
        yield named(self.url, name)
        await self._give_back(name)

    async def _take(self) -> str:
        """The name of an empty, migrated database."""
        if self.spare:
            return self.spare.pop()
        name = f"test_{next(_numbers)}"
        await self.administrator.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        pools.stay(named(self.url, name))
        return name

    async def _give_back(self, name: str) -> None:
        """Empty it for the next test; drop it when the test changed more than rows."""
        if await self._is_empty_again(named(self.url, name)):
            self.spare.append(name)
            return
        pools.end(named(self.url, name))
        if connection := _kept.pop(named(self.url, name), None):
            connection.terminate()
        await self.administrator.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def _is_empty_again(self, url: str) -> bool:
        try:
            connection = await kept_connection(url)
            await connection.reset()
            await end_connections(connection, but=pools.backends(url))
            if await connection.fetchrow(DEFINITIONS) != self.definitions:
                return False
            await connection.execute(EMPTY)
            return bool(await connection.fetchval("SELECT pg_database_size(current_database())") < LARGEST_KEPT)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            return False

    @asynccontextmanager
    async def away(self, database: Connection) -> AsyncIterator[None]:
        """Take one of them away from everybody but this connection to it."""
        name = await database.fetchval("SELECT current_database()")
        await self.administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await end_connections(database)
        yield
        await self.administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


@asynccontextmanager
async def databases_of(url: str) -> AsyncIterator[Databases]:
    """The databases on this server; they are migrated once, and the others copied."""
    administrator = await asyncpg.connect(url)
    await administrator.execute(f"CREATE DATABASE {TEMPLATE}")
    await migrate(named(url, TEMPLATE))
    template = await asyncpg.connect(named(url, TEMPLATE))
    definitions = await template.fetchrow(DEFINITIONS)
    assert definitions
    await template.close()
    yield Databases(url, administrator, definitions)
    pools.end_all()
    for connection in (administrator, *_kept.values()):
        connection.terminate()
    _kept.clear()


@pytest_asyncio.fixture(scope="session")
async def databases(postgres: Postgres) -> AsyncIterator[Databases]:
    """The databases on this test process's own server."""
    async with databases_of(postgres.url) as databases:
        yield databases


@pytest_asyncio.fixture(scope="session")
async def oldest_databases(oldest_url: str) -> AsyncIterator[Databases]:
    """The databases on a PostgreSQL 15."""
    async with databases_of(oldest_url) as databases:
        yield databases


@pytest_asyncio.fixture
async def database_url(databases: Databases) -> AsyncIterator[str]:
    """The URL of an empty, migrated database of the test's own."""
    async with databases.one() as url:
        yield url


async def kept_connection(url: str) -> Connection:
    """A connection to the database, which stays for the tests that use it next."""
    connection = _kept.get(url)
    if connection is None or connection.is_closed():
        connection = _kept[url] = await asyncpg.connect(url)
        await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
    return connection


def named(url: str, database: str) -> str:
    """The URL of another database on the same server."""
    return url.replace("/postgres?", f"/{database}?", 1)


async def waits(database: Connection, statement: str = "") -> bool:
    """Whether somebody waits for a lock in this database, by a statement that matches the pattern."""
    found: bool = await database.fetchval(
        "SELECT EXISTS (SELECT FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock' AND query ~ $1)",
        statement,
    )
    return found


async def until_waiting(database: Connection, statement: str = "") -> None:
    """Return once somebody waits so."""
    await until(lambda: waits(database, statement), f"{statement or 'somebody'} waits for a lock")


async def end_connections(database: Connection, but: Sequence[int] = ()) -> None:
    """End everybody else's connections to the test's database, but those of these server processes."""
    await database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid <> ALL ($1::int[])",
        but,
    )
