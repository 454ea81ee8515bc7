"""A connection that ends amid a statement, whichever step the driver has come to."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from db import listening
from db.bell import Bell
from db.pool import open_database
from rules.failures import ServiceUnavailable
from tests.proxy import FATAL, ending_the_first, prompting, silent_to_the_first
from tests.waiting import until


def end_with_the_next_answer(connection: Any) -> None:
    """End it in the turn of the loop in which its answer is there, before the task that waits for it has gone on."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()

    def look() -> None:
        waited_for = getattr(task, "_fut_waiter", None)
        if waited_for is None or waited_for.done():
            connection.terminate()
        else:
            loop.call_soon(look)

    loop.call_soon(look)


async def test_a_connection_that_ends_between_two_steps_of_a_statement_means_that_the_database_is_away(
    database_url: str,
) -> None:
    database = await open_database(database_url, 1)
    with pytest.raises(ServiceUnavailable) as raised:
        async with database.connection() as connection:
            end_with_the_next_answer(connection)
            await connection.fetchval("SELECT 1")
    assert isinstance(raised.value.__cause__, AttributeError), "The driver tells it in another way now."
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT 1") == 1
    await database.close()


async def test_a_missing_attribute_elsewhere_stays_a_fault_of_ours(database_url: str) -> None:
    database = await open_database(database_url, 1)
    nothing: Any = None
    with pytest.raises(AttributeError):
        async with database.connection():
            nothing.attribute()
    await database.close()


@pytest_asyncio.fixture
async def unheard() -> AsyncIterator[list[Any]]:
    """What the loop has to tell of, since nobody waits for it."""
    found: list[Any] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: found.append(context))
    yield found
    loop.set_exception_handler(None)


async def heard(bell: Bell, rung: asyncio.Event) -> None:
    """Ring until it is heard."""
    rung.clear()

    def is_heard() -> bool:
        bell.ring()
        return rung.is_set()

    await until(is_heard, "it is heard")


async def test_the_bell_rings_again_after_the_driver_s_confusion(database_url: str, unheard: list[Any]) -> None:
    async with prompting(database_url) as (url, say):
        bell, rung = Bell(url), asyncio.Event()
        listener = asyncio.create_task(listening.listen(database_url, rung, "test"))
        await until(rung.is_set, "the listener is there")
        await heard(bell, rung)
        say(FATAL)  # and yet the connection stays
        await heard(bell, rung)
        await bell.close()
        listener.cancel()
    gc.collect()
    assert unheard == []


async def test_whoever_hears_the_bell_connects_again_after_the_driver_s_confusion(database_url: str) -> None:
    rung = asyncio.Event()
    async with ending_the_first(database_url) as url:
        listener = asyncio.create_task(listening.listen(url, rung, "test"))
        await until(lambda: rung.is_set() or listener.done(), "it listens")
        assert not listener.done(), listener.exception()
        listener.cancel()


async def test_a_pool_gives_up_connections_that_the_server_has_ended_and_nothing_is_left_unheard(
    database_url: str, unheard: list[Any]
) -> None:
    database = await open_database(database_url, 1)
    async with database.connection() as connection:
        ended = connection.get_server_pid()

    async def end() -> None:
        other = await asyncpg.connect(database_url)
        assert await other.fetchval("SELECT pg_terminate_backend($1, 60000)", ended)
        await other.close()

    thread = threading.Thread(target=lambda: asyncio.run(end()))
    thread.start()
    thread.join()  # meanwhile this loop stands still, and hears nothing of it
    await database.pool.expire_connections()
    async with database.connection() as connection:
        assert connection.get_server_pid() != ended
    await database.close()
    gc.collect()
    assert unheard == []


async def test_a_pool_opens_where_a_busy_server_does_not_come_to_the_first_connection(database_url: str) -> None:
    async with silent_to_the_first(database_url) as url:
        database = await open_database(url, 1)
        async with database.connection() as connection:
            assert await connection.fetchval("SELECT 1") == 1
        await database.close()
