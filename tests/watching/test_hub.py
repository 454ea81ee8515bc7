"""The hub, without a server around it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import db.feed
import rules.tokens
from db.feed import Position
from db.pool import open_database
from resolvers.hub import Hub, Watcher
from tests.people import World, email
from tests.waiting import soon, until

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


async def test_what_changes_between_a_watch_s_beginning_and_the_first_look_is_told(
    database_url: str, world: World
) -> None:
    mia, olive = await world.sign_in("mia"), await world.sign_in("olive")
    token_hash = rules.tokens.digest(rules.tokens.SESSION_PREFIX, str(olive.token))
    watcher = Watcher(token_hash, await world.user_id("olive"), world.account_id, wants_members=True)
    pool = await open_database(database_url, 1)
    hub = Hub(pool, database_url, timedelta(days=7))
    with hub.watching(watcher):
        async with pool.connection() as connection:  # the only one, so that the hub looks later
            watcher.since = await db.feed.now(connection)
            await world.enroll(mia)
        await until(lambda: watcher.members or watcher.failure, "the watcher is told")
    await hub.close()
    await pool.close()
    assert [member.email for member in watcher.members.values()] == [email("mia")]
