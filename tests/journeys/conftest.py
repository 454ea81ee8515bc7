"""The whole product, every part its own process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import asyncpg
import httpx
import pytest
import pytest_asyncio

from tests.client import SECRET_KEYS, http_client
from tests.databases import Databases
from tests.parts import Mailbox, Process, environment
from tests.people import World, make_world
from tests.ports import own_port
from tests.waiting import until


@pytest.fixture(params=["databases", "oldest_databases"], ids=["embedded", "oldest"])
def server(request: pytest.FixtureRequest) -> Databases:
    """Each journey is made on the PostgreSQL that we bring, and on the oldest that we take."""
    databases: Databases = request.getfixturevalue(request.param)
    return databases


@pytest_asyncio.fixture
async def database_url(server: Databases) -> AsyncIterator[str]:
    """The URL of an empty, migrated database of the test's own."""
    async with server.one() as url:
        yield url


@pytest_asyncio.fixture
async def product(
    database_url: str,
    database: asyncpg.Connection[asyncpg.Record],
    broker_url: str,
    mailbox: Mailbox,
    gatehouse: Callable[..., Process],
) -> AsyncIterator[World]:
    """The whole product, running, with the cast in it."""
    port = own_port()
    env = environment(
        database_url=database_url,
        broker_url=broker_url,
        smtp_url=mailbox.url,
        secret_keys=SECRET_KEYS,
        port=port,
        public_url=f"http://localhost:{port}",
        webhook_allow_private="true",
    )
    api, relay, worker, beat = (gatehouse(command, env=env) for command in ("serve", "relay", "worker", "beat"))
    world = await make_world(f"http://127.0.0.1:{port}", database)
    await relay.wait_for_output("relay ready")
    await worker.wait_for_output("worker ready")
    await beat.wait_for_output("beat ready")
    await answers(api, f"{world.base_url}/healthz")
    yield world
    for client in world.clients:
        await client.aclose()


async def answers(api: Process, url: str) -> None:
    """Wait until the API is healthy."""

    async def is_healthy() -> bool:
        assert api.child.poll() is None, api.output
        try:
            return (await client.get(url)).status_code == 200
        except httpx.TransportError:
            return False

    async with http_client() as client:
        await until(is_healthy, lambda: f"the API is healthy:\n{api.output}")
