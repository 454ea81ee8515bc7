"""The database's side on the oldest PostgreSQL that the README names."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.databases import Databases


@pytest_asyncio.fixture
async def database_url(oldest_databases: Databases) -> AsyncIterator[str]:
    """The URL of an empty, migrated database of the test's own, on PostgreSQL 15."""
    async with oldest_databases.one() as url:
        yield url
