"""The databases that tests run on: migrated, empty, and used again by the next test once they are empty again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

import asyncpg
import pytest_asyncio

from db.migrate import migrate
from server.local.postgres import Postgres

TEMPLATE = "gatehouse_template"
LARGEST_KEPT = 16 * 1024 * 1024  # bytes; dead rows would slow the tests that come after

# The newest row of the catalogues, whatever a test may set for a whole database, and what is taken to be migrated.
DEFINITIONS = """
    SELECT greatest(
        (SELECT max(xmin::text::bigint) FROM pg_class), (SELECT max(xmin::text::bigint) FROM pg_attribute),
        (SELECT max(xmin::text::bigint) FROM pg_proc), (SELECT max(xmin::text::bigint) FROM pg_trigger),
        (SELECT max(xmin::text::bigint) FROM pg_constraint), (SELECT max(xmin::text::bigint) FROM pg_index)
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
LEAVE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()
"""

_numbers = count(1)


@dataclass
class Databases:
    """One server's; `spare` are the names of those that nobody uses."""

    url: str
    administrator: asyncpg.Connection[asyncpg.Record]
    definitions: asyncpg.Record
    spare: list[str] = field(default_factory=list)

    async def take(self) -> str:
        """The name of an empty, migrated database."""
        if self.spare:
            return self.spare.pop()
        name = f"test_{next(_numbers)}"
        await self.administrator.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return name

    async def give_back(self, name: str) -> None:
        """Empty it for the next test; drop it when the test changed more than rows."""
        await self.administrator.execute(LEAVE, name)
        if await self._is_empty_again(name):
            self.spare.append(name)
        else:
            await self.administrator.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def _is_empty_again(self, name: str) -> bool:
        try:
            connection = await asyncpg.connect(named(self.url, name))
        except asyncpg.PostgresError:
            return False
        try:
            if await connection.fetchrow(DEFINITIONS) != self.definitions:
                return False
            await connection.execute(EMPTY)
            return bool(await connection.fetchval("SELECT pg_database_size(current_database())") < LARGEST_KEPT)
        except asyncpg.PostgresError:
            return False
        finally:
            await connection.close()

    @asynccontextmanager
    async def away(self, database: asyncpg.Connection[asyncpg.Record]) -> AsyncIterator[None]:
        """Take one of them away from everybody but this connection to it."""
        name = await database.fetchval("SELECT current_database()")
        await self.administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await end_connections(database)
        yield
        await self.administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


@pytest_asyncio.fixture(scope="session")
async def databases(postgres: Postgres) -> AsyncIterator[Databases]:
    """The databases on this test process's own server."""
    administrator = await asyncpg.connect(postgres.url)
    await administrator.execute(f"CREATE DATABASE {TEMPLATE}")
    await migrate(named(postgres.url, TEMPLATE))
    template = await asyncpg.connect(named(postgres.url, TEMPLATE))
    definitions = await template.fetchrow(DEFINITIONS)
    assert definitions
    await template.close()
    yield Databases(postgres.url, administrator, definitions)
    await administrator.close()


@pytest_asyncio.fixture
async def database_url(databases: Databases) -> AsyncIterator[str]:
    """The URL of an empty, migrated database of the test's own."""
    name = await databases.take()
    yield named(databases.url, name)
    await databases.give_back(name)


@asynccontextmanager
async def empty_database(server_url: str) -> AsyncIterator[str]:
    """An empty, migrated database on another server than this process's own; its URL."""
    connection = await asyncpg.connect(server_url)
    name = f"test_{next(_numbers)}"
    await connection.execute(f"CREATE DATABASE {name}")
    try:
        await migrate(named(server_url, name))
        yield named(server_url, name)
    finally:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await connection.close()


def named(url: str, database: str) -> str:
    """The URL of another database on the same server."""
    return url.replace("/postgres?", f"/{database}?", 1)


async def end_connections(database: asyncpg.Connection[asyncpg.Record]) -> None:
    """End everybody else's connections to the test's database."""
    await database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
