"""One of many never has the whole pool: whoever asks for much waits for themselves."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import pytest

import db.pool
from db.pool import Database
from db.shares import Shares
from rules.failures import ServiceUnavailable
from tests.waiting import soon, until

asking: ContextVar[str | None] = ContextVar("asking", default=None)
POOL = 4


async def hold(database: Database, name: str | None, held: list[str | None], end: asyncio.Event) -> None:
    """Hold a connection in this one's name until the end."""
    asking.set(name)
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT 1") == 1
        held.append(name)
        await end.wait()


async def test_who_asks_for_all_connections_gets_half_and_others_find_the_rest(database_url: str) -> None:
    database = await db.pool.open_database(database_url, POOL, whose=asking.get)
    held: list[str | None] = []
    end = asyncio.Event()
    try:
        many = [asyncio.create_task(hold(database, "many", held, end)) for _ in range(50)]
        await until(lambda: len(held) == POOL // 2, "half of the pool is taken")
        one = asyncio.create_task(hold(database, "one", held, end))
        await until(lambda: "one" in held, "another has a connection")
        free = asyncio.create_task(hold(database, None, held, end))
        await until(lambda: None in held, "who is not bounded has one, too")
        assert held.count("many") == POOL // 2
        end.set()
        await soon(asyncio.gather(*many, one, free))
        assert held.count("many") == 50
    finally:
        await database.close()


async def test_who_waits_too_long_for_their_own_is_refused_and_leaves_nothing_behind() -> None:
    shares = Shares(1, asking.get, longest_wait_s=0.01)
    asking.set("one")
    async with shares.one():
        with pytest.raises(ServiceUnavailable):
            async with shares.one():
                raise AssertionError("it had two")
    for _ in range(2):
        async with shares.one():
            pass
    assert shares.shares == {}


async def test_what_comes_to_one_who_leaves_at_that_moment_goes_to_the_next_in_line() -> None:
    shares = Shares(1, asking.get, longest_wait_s=60)
    asking.set("one")
    had: list[str] = []

    async def have(name: str) -> None:
        async with shares.one():
            had.append(name)

    async with shares.one():
        leaves, comes, gone = (asyncio.create_task(have(name)) for name in ("leaves", "comes", "gone"))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
    leaves.cancel()  # it has the place, and has not gone on
    await soon(asyncio.gather(leaves, comes, gone, return_exceptions=True))
    assert (had, leaves.cancelled(), gone.cancelled()) == (["comes"], True, True)
    assert shares.shares == {}
