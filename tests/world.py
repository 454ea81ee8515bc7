"""The fixtures of behaviour tests: a server over a test's own database, with the cast in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from server.app import Capacity
from tests.client import serving, settings_for
from tests.databases import kept_connection
from tests.people import World, make_world


@pytest_asyncio.fixture
async def database(database_url: str) -> asyncpg.Connection[asyncpg.Record]:
    """A connection to the test's database."""
    return await kept_connection(database_url)


@pytest_asyncio.fixture
async def cast(database: asyncpg.Connection[asyncpg.Record]) -> World:
    """The cast, and no server."""
    return await make_world("", database)


@pytest_asyncio.fixture
async def world(database_url: str, database: asyncpg.Connection[asyncpg.Record]) -> AsyncIterator[World]:
    """The cast, and a server to call."""
    async with serving(settings_for(database_url)) as base_url:
        world = await make_world(base_url, database)
        yield world
        for client in world.clients:
            await client.aclose()


@pytest_asyncio.fixture
async def costly(world: World, database_url: str) -> AsyncIterator[World]:
    """The world at a server whose hashes cost what they cost in production."""
    async with serving(settings_for(database_url), Capacity()) as base_url:
        world.base_url = base_url
        yield world
