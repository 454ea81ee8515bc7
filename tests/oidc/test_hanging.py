"""Providers that hang, or are no good."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest

from oidc import provider as oidc_provider
from rules.failures import RateLimited
from rules.oidc import RANDOM_BYTES, ProviderConfig, SignInProblem, begin
from tests.client import CAPACITY, serving, settings_for
from tests.oidc.browser import browser_of, problem
from tests.people import World
from tests.waiting import soon


@asynccontextmanager
async def hanging(*exchange_s: float) -> AsyncIterator[oidc_provider.Provider]:
    """A provider whose server takes connections and says nothing; given up after so long."""
    released = asyncio.Event()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    issuer = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    provider = oidc_provider.Provider(ProviderConfig("bad", issuer, "x", "y"), "http://localhost/callback", *exchange_s)
    yield provider
    await provider.close()
    released.set()
    server.close()


async def test_a_provider_that_hangs_is_not_taken_up_by_one_address() -> None:
    pending = begin("bad", "/", datetime.now(UTC), bytes(RANDOM_BYTES))
    async with hanging(0.3) as provider:
        asked = ["198.51.100.1"] * 15 + ["198.51.100.2"] * 3
        outcomes = await asyncio.gather(
            *(provider.authorization_url(pending, who) for who in asked), return_exceptions=True
        )
        assert [type(each) for each in outcomes] == [SignInProblem] * 10 + [RateLimited] * 5 + [SignInProblem] * 3
        (later,) = await asyncio.gather(provider.authorization_url(pending, asked[0]), return_exceptions=True)
        assert isinstance(later, SignInProblem)  # what was given up counts no more


async def test_ten_addresses_together_keep_nobody_from_a_provider_that_hangs() -> None:
    pending = begin("bad", "/", datetime.now(UTC), bytes(RANDOM_BYTES))
    async with hanging() as provider:

        def ask(who: str) -> asyncio.Task[str]:
            return asyncio.create_task(provider.authorization_url(pending, who))

        held = [ask(f"203.0.113.{n}") for n in range(10) for _ in range(10)]
        others = [ask(f"198.51.100.{n}") for n in range(5)]
        # Each newcomer has the place of the oldest of whoever held most, and nobody else loses one.
        displaced = held[:50:10]
        given_up = await soon(asyncio.gather(*displaced, return_exceptions=True))
        assert [type(each) for each in given_up] == [SignInProblem] * 5
        assert not any(task.done() for task in [*held, *others] if task not in displaced)
        for task in [*held, *others]:
            task.cancel()
        await asyncio.gather(*held, *others, return_exceptions=True)
        # Where all hold as little, the newcomer is the one to wait.
        held = [ask(f"203.0.113.{n}") for n in range(100)]
        (refused,) = await soon(asyncio.gather(ask("198.51.100.1"), return_exceptions=True))
        assert isinstance(refused, RateLimited)
        assert not any(task.done() for task in held)
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)


@pytest.mark.parametrize("how", ["hangs", "drips", "floods", "lies"])
async def test_a_provider_that_is_no_good_holds_nobody_up(
    database_url: str,
    database: asyncpg.Connection[asyncpg.Record],
    how: str,
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        body = {"floods": b" " * 1_000_000, "lies": b"[1]", "drips": b" "}.get(how, b"")
        writer.write(head % (3 if how == "lies" else 1_000_000) + body)
        with suppress(ConnectionError):
            if how in {"hangs", "drips"}:
                await reader.read()  # until it is given up
            await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    issuer = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    known = (ProviderConfig("bad", issuer, "x", "y"),)
    capacity = replace(CAPACITY, exchange_s=0.3) if how in {"hangs", "drips"} else CAPACITY
    async with serving(settings_for(database_url, oidc=known), capacity) as base_url:
        world = World(base_url, database, UUID(int=1), UUID(int=2), [])
        browser = browser_of(world)
        begun, alive = await asyncio.gather(browser.http.get("/sign-in/with/bad"), browser.http.get("/livez"))
        assert problem(begun) == "failed"
        assert alive.status_code == 200
        for client in world.clients:
            await client.aclose()
    server.close()
