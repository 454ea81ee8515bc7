"""Whoever is deleted from the database, and the mails that are written to them in the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest
import pytest_asyncio

from db import dispatching, fan_out
from db.dispatching import Undispatched
from db.fan_out import Terms
from db.pool import Connection
from tests.databases import until_waiting
from tests.people import World, require_mfa

DELETION = "DELETE FROM users WHERE id = $1"
TERMS = Terms("m", "bulk", 0)
Write = Callable[[Connection, Undispatched, Terms], Awaitable[object]]

every_way = pytest.mark.parametrize(
    ("write", "name"), [(fan_out.to_person, "mia"), (fan_out.to_owners, "olive"), (fan_out.to_staff, "mia")]
)


@pytest_asyncio.fixture
async def worker(database_url: str) -> AsyncIterator[Connection]:
    """The connection of whoever writes deliveries."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def operator(database_url: str) -> AsyncIterator[Connection]:
    """The connection of whoever deletes people."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def event_of(cast: World, name: str) -> int:
    """An event that is not dispatched, about that person."""
    await require_mfa(cast.database, cast.account_id, days_ago=1, grace_days=7)
    event_id: int = await cast.database.fetchval(
        "INSERT INTO events (type, account_id, subject_id) VALUES ('MFA_RESET', $1, $2) RETURNING id",
        cast.account_id,
        await cast.user_id(name),
    )
    return event_id


async def written_to(cast: World, name: str) -> int:
    """How many deliveries that person has."""
    count: int = await cast.database.fetchval(
        "SELECT count(*) FROM deliveries WHERE email = $1", f"{name}@agency.example"
    )
    return count


@every_way
async def test_a_person_stays_while_a_delivery_is_written_to_them_and_then_goes_with_it(
    cast: World, worker: Connection, operator: Connection, write: Write, name: str
) -> None:
    event_id = await event_of(cast, name)
    async with worker.transaction():
        event = await dispatching.lock_undispatched(worker, event_id)
        assert event is not None
        await write(worker, event, TERMS)
        user_id = await cast.user_id(name)
        deletion = asyncio.create_task(operator.execute(DELETION, user_id))
        await until_waiting(cast.database, "DELETE FROM users")
        assert await worker.fetchval("SELECT count(*) FROM deliveries WHERE user_id = $1", user_id) == 1
    assert await deletion == "DELETE 1"
    assert await written_to(cast, name) == 0


@every_way
async def test_whoever_is_being_deleted_gets_no_delivery_and_the_event_is_dispatched_all_the_same(
    cast: World, worker: Connection, operator: Connection, write: Write, name: str
) -> None:
    event_id = await event_of(cast, name)

    async def dispatch() -> None:
        async with worker.transaction():
            event = await dispatching.lock_undispatched(worker, event_id)
            assert event is not None
            await write(worker, event, TERMS)

    async with operator.transaction():
        await operator.execute(DELETION, await cast.user_id(name))
        dispatched = asyncio.create_task(dispatch())
        await until_waiting(cast.database, "INSERT INTO deliveries")
    await dispatched
    assert await written_to(cast, name) == 0
    assert await cast.database.fetchval("SELECT dispatched_at IS NOT NULL FROM events WHERE id = $1", event_id)


async def test_a_person_who_is_deleted_takes_their_deliveries_and_nobody_elses(cast: World) -> None:
    event_id = await event_of(cast, "mia")
    await cast.database.execute(
        "INSERT INTO deliveries (event_id, user_id, message, email, queue) "
        "SELECT $1, id, 'm', email, 'bulk' FROM users",
        event_id,
    )
    await cast.database.execute(DELETION, await cast.user_id("mia"))
    left = await cast.database.fetch("SELECT split_part(email, '@', 1) AS name FROM deliveries ORDER BY name")
    assert [row["name"] for row in left] == ["adam", "olive", "petra", "sam", "sue"]
