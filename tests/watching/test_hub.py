"""The hub, without a server around it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import db.feed
from db.feed import Position
from db.pool import open_database
from resolvers.hub import Hub, Watcher
from tests.waiting import soon

NOBODY_RINGS = "postgresql://gatehouse@127.0.0.1:1/gatehouse"


class Standstill(asyncio.SelectorEventLoop):
    """A loop on which no time passes: what waits for a clock waits for ever."""

    def time(self) -> float:
        return 0.0


async def test_who_comes_first_is_told_to_look_at_once_and_not_at_the_next_look(database_url: str) -> None:
    loop = Standstill()

    async def first_look() -> bool:
        pool = await open_database(database_url, 1)
        hub = Hub(pool, NOBODY_RINGS, timedelta(days=7))
        try:
            with hub.watching(Watcher(token_hash=b"", person_id=uuid4())) as watcher:
                await watcher.wait()
                return watcher.is_stale
        finally:
            await hub.close()
            await pool.close()

    look = loop.create_task(first_look())

    def run() -> bool:
        with suppress(asyncio.CancelledError):
            return loop.run_until_complete(look)
        return False

    running = asyncio.get_running_loop().run_in_executor(None, run)
    try:
        assert await soon(asyncio.shield(running))
    finally:
        loop.call_soon_threadsafe(look.cancel)
        await running
        loop.close()


async def test_on_a_restored_database_that_counts_transactions_anew_it_begins_anew_too(database_url: str) -> None:
    pool = await open_database(database_url, 1)
    hub, watcher = Hub(pool, NOBODY_RINGS, timedelta(days=7)), Watcher(token_hash=b"", person_id=uuid4())
    hub._watchers.add(watcher)
    async with pool.connection() as connection:
        there = await db.feed.now(connection)
        assert await hub._look(connection, there, is_full_look=True) == there
        assert not watcher.is_stale
        hub._watchers.add(watcher)  # nobody is signed in, so that it was cut off
        reached_before = Position(there.transaction_id + 1_000_000, 1)
        position = await hub._look(connection, reached_before, is_full_look=True)
    assert there.transaction_id <= position.transaction_id < reached_before.transaction_id
    assert watcher.is_stale
    await pool.close()
