"""A certified provider, run for these tests, and a server that knows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from rules.oidc import ProviderConfig
from tests.client import serving, settings_for
from tests.oidc.browser import REDIRECT_URI
from tests.people import World, make_world
from tests.transport.node import installed_once, node_command
from tests.waiting import soon

SCRIPTS = Path(__file__).parent / "provider"


@pytest_asyncio.fixture(scope="session")
async def issuer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """npm's oidc-provider, by its issuer."""
    folder = (await installed_once(tmp_path_factory, "provider", SCRIPTS)).folder
    node, environment = node_command()
    process = await asyncio.create_subprocess_exec(
        node,
        "provider.js",
        REDIRECT_URI,
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        yield (await soon(process.stdout.readline())).decode().strip()
    finally:
        process.kill()
        await process.wait()


@pytest_asyncio.fixture
async def world(database_url: str, database: asyncpg.Connection[asyncpg.Record], issuer: str) -> AsyncIterator[World]:
    """The cast, and a server with two names for the one provider: an honest client, and one of another issuer."""
    known = (
        ProviderConfig("test", issuer, "gatehouse", "s3cret-of-the-tests"),
        ProviderConfig("other", f"{issuer}/", "gatehouse", "s3cret-of-the-tests"),
    )
    async with serving(settings_for(database_url, oidc=known)) as base_url:
        world = await make_world(base_url, database)
        yield world
        for client in world.clients:
            await client.aclose()
