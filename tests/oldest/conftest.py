"""The database's side on the oldest PostgreSQL that the README names."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.databases import empty_database


@pytest_asyncio.fixture
async def database_url(oldest_url: str) -> AsyncIterator[str]:
    """The URL of an empty, migrated database of the test's own, on PostgreSQL 15."""
    async with empty_database(oldest_url) as url:
        yield url
