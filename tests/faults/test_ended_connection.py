"""A connection that ends amid a statement, whichever step the driver has come to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from db.pool import open_database
from rules.failures import ServiceUnavailable


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
