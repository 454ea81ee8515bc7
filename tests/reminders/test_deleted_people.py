"""Whoever is deleted from the database, and the mails that are written to them in the same moment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from db import deliveries, dispatching, fan_out
from db.dispatching import Undispatched
from db.fan_out import Terms
from db.pool import Connection
from tests.people import World, require_mfa

DELETION = "DELETE FROM users WHERE id = $1"
TERMS = Terms("m", "bulk", 0)
Write = Callable[[Connection, Undispatched, Terms], Awaitable[object]]


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


@pytest.mark.parametrize("is_deleted_before", [True, False])
@pytest.mark.parametrize(
    ("write", "name"), [(fan_out.to_person, "mia"), (fan_out.to_owners, "olive"), (fan_out.to_staff, "mia")]
)
async def test_a_delivery_that_was_written_while_its_person_was_deleted_is_dropped(
    cast: World, worker: Connection, operator: Connection, write: Write, name: str, is_deleted_before: bool
) -> None:
    event_id, user_id = await event_of(cast, name), await cast.user_id(name)
    deletion = operator.transaction()
    await deletion.start()
    async with worker.transaction():
        event = await dispatching.lock_undispatched(worker, event_id)
        assert event is not None
        if is_deleted_before:
            await operator.execute(DELETION, user_id)
        await write(worker, event, TERMS)
        if not is_deleted_before:
            await operator.execute(DELETION, user_id)
    await deletion.commit()
    states = "SELECT state FROM deliveries WHERE user_id = $1"
    assert await cast.database.fetchval(states, user_id) == "pending"
    claimed = await deliveries.claim(worker, "bulk", uuid4(), 100, 1)
    assert f"{name}@agency.example" not in {delivery.email for delivery in claimed}
    assert await cast.database.fetchval(states, user_id) == "dropped"


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
