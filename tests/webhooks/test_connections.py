"""Connections to endpoints are closed once nobody uses them, and never under whoever does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import httpcore
import pytest_asyncio

from tests.webhooks.receiver import Receiver, receiving
from workers.endpoints import Connections


@pytest_asyncio.fixture
async def connections() -> AsyncIterator[Connections]:
    async with Connections(allow_private=True) as connections:
        yield connections


async def post(pool: httpcore.AsyncConnectionPool, receiver: Receiver) -> int:
    return (await pool.request("POST", receiver.url, content=b"{}")).status


async def test_an_attempt_that_begins_while_idle_ones_are_closed_is_made_to_its_end(connections: Connections) -> None:
    hooks = [uuid4() for _ in range(3)]
    async with receiving() as receiver:
        for each in hooks:
            with connections.to(each) as pool:
                assert await post(pool, receiver) == 200
        closing = asyncio.create_task(connections.close_idle(unused_s=0))
        await asyncio.sleep(0)  # the first is being closed
        with connections.to(hooks[-1]) as pool:
            await closing
            await is_kept_while_in_use(connections, hooks[-1], pool, receiver)
        with connections.to(hooks[-1]) as pool:
            await is_kept_while_in_use(connections, hooks[-1], pool, receiver)


async def is_kept_while_in_use(
    connections: Connections, hook: UUID, pool: httpcore.AsyncConnectionPool, receiver: Receiver
) -> None:
    await connections.close_idle(unused_s=0)
    with connections.to(hook) as same:
        assert same is pool
        assert await post(pool, receiver) == 200


async def test_what_nobody_uses_is_closed(connections: Connections) -> None:
    hook = uuid4()
    async with receiving() as receiver:
        for _ in range(2):
            with connections.to(hook) as pool:
                assert await post(pool, receiver) == 200
            await connections.close_idle(unused_s=0)
        assert receiver.connections == 2
