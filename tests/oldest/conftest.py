"""The database's side on the oldest PostgreSQL that the README names: the fixtures by their usual names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
import pytest_asyncio

from db.migrate import migrate
from tests.debian import postgres_15
from tests.journeys.conftest import product
from tests.parts import TEMPLATE, named


@pytest.fixture(scope="session")
def oldest_postgres() -> Iterator[str]:
    """The URL of a PostgreSQL 15."""
    with postgres_15() as url:
        yield url


@pytest_asyncio.fixture
async def database_url(oldest_postgres: str) -> AsyncIterator[str]:
    """The URL of an empty, migrated database of the test's own, on PostgreSQL 15."""
    connection = await asyncpg.connect(oldest_postgres)
    await connection.execute(f"CREATE DATABASE {TEMPLATE}")
    url = named(oldest_postgres, TEMPLATE)
    await migrate(url)
    yield url
    await connection.execute(f"DROP DATABASE {TEMPLATE} WITH (FORCE)")
    await connection.close()


__all__ = ["product"]
