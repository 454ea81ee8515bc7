"""What is kept, and for how long."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import asyncpg
import pytest

from db import deliveries, dispatching, housekeeping
from db.pool import open_database
from tests.client import serving, settings_for
from tests.databases import until_waiting
from tests.people import World
from workers.pruning import prune

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


async def test_ended_deliveries_go_when_they_are_old_and_waiting_ones_stay(cast: World) -> None:
    event_id = await cast.database.fetchval("INSERT INTO events (type) VALUES ('MFA_ENABLED') RETURNING id")
    await cast.database.executemany(
        "INSERT INTO deliveries (event_id, user_id, message, email, queue, state, created_at) "
        "VALUES ($1, $2, $3, 'm@x.example', 'security', $4, now() - $5 * interval '1 day')",
        [
            (event_id, await cast.user_id("mia"), f"{state} {days}", state, days)
            for state in ("pending", "sending", "sent", "failed", "dropped")
            for days in (89, 91)
        ],
    )
    assert await deliveries.prune(cast.database, 90) == 3
    kept = await cast.database.fetch("SELECT message FROM deliveries ORDER BY message")
    assert [row["message"] for row in kept] == [
        "dropped 89",
        "failed 89",
        "pending 89",
        "pending 91",
        "sending 89",
        "sending 91",
        "sent 89",
    ]


async def test_old_events_go_only_when_they_are_dispatched_and_their_deliveries_are_gone(cast: World) -> None:
    ids = [
        await cast.database.fetchval(
            "INSERT INTO events (type, occurred_at, dispatched_at) "
            "VALUES ($1, now() - $2 * interval '1 day', $3::timestamptz) RETURNING id",
            name,
            days,
            dispatched_at,
        )
        for name, days, dispatched_at in (
            ("OLD", 400, await cast.database.fetchval("SELECT now()")),
            ("DELIVERED", 400, await cast.database.fetchval("SELECT now()")),
            ("WAITING", 400, None),
            ("YOUNG", 300, await cast.database.fetchval("SELECT now()")),
        )
    ]
    await cast.database.execute(
        "INSERT INTO account_events (account_id, event_id) VALUES ($1, $2)", cast.account_id, ids[0]
    )
    await cast.database.execute(
        "INSERT INTO deliveries (event_id, user_id, message, email, queue) VALUES ($1, $2, 'm', 'm@x.example', 'bulk')",
        ids[1],
        await cast.user_id("mia"),
    )
    assert await housekeeping.prune_events(cast.database, 365) == 1
    assert await cast.database.fetchval("SELECT count(*) FROM account_events WHERE event_id = $1", ids[0]) == 0
    kept = await cast.database.fetch("SELECT type FROM events ORDER BY id")
    assert [row["type"] for row in kept] == ["DELIVERED", "WAITING", "YOUNG"]
    # Nor does the pruning's permission outlast it.
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await cast.database.execute("DELETE FROM events")


async def test_however_many_were_set_aside_the_events_behind_them_go(cast: World) -> None:
    old = "INSERT INTO events (type, occurred_at, failure, dispatched_at) SELECT $1, now() - interval '400 days', "
    await cast.database.execute(f"{old} 'broken', NULL FROM generate_series(1, $2)", "ASIDE", housekeeping.PRUNE_BATCH)
    await cast.database.execute(f"{old} NULL, now()", "OLD")
    assert await housekeeping.prune_events(cast.database, 365) == 1
    assert await cast.database.fetchval("SELECT bool_and(type = 'ASIDE') FROM events")


async def test_no_event_outlasts_its_time_for_the_sake_of_an_email_that_would_be_kept_longer(
    cast: World, database_url: str
) -> None:
    for event, email, days in (("OLD", "sent", 40), ("WAITING", "pending", 40), ("YOUNG", "sent", 20)):
        await cast.database.execute(
            """
            WITH event AS (
                INSERT INTO events (type, occurred_at, dispatched_at)
                VALUES ($1, now() - $4 * interval '1 day', now()) RETURNING id, occurred_at
            )
            INSERT INTO deliveries (event_id, user_id, message, email, queue, state, created_at)
            SELECT id, $3, 'm', 'm@x.example', 'bulk', $2, occurred_at FROM event
            """,
            event,
            email,
            await cast.user_id("mia"),
            days,
        )
    database = await open_database(database_url, 2)
    await prune(database, settings_for(database_url, delivery_retention_days=90, event_retention_days=30))
    await database.close()
    assert [event["type"] for event in await cast.events()] == ["WAITING", "YOUNG"]


async def test_no_event_goes_while_a_link_of_its_email_may_hold(cast: World) -> None:
    for days in (7, 9):
        await cast.database.execute(
            "INSERT INTO events (type, occurred_at, dispatched_at) VALUES ($1, now() - $2 * interval '1 day', now())",
            f"OF {days} DAYS",
            days,
        )
    assert await housekeeping.prune_events(cast.database, 1) == 1
    assert [event["type"] for event in await cast.events()] == ["OF 7 DAYS"]


async def test_no_event_goes_before_its_deliveries_not_even_before_one_that_is_written_meanwhile(
    cast: World, database_url: str
) -> None:
    event_id = await cast.database.fetchval("INSERT INTO events (type) VALUES ('MFA_ENABLED') RETURNING id")
    worker, pruning = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    async with worker.transaction():
        assert await dispatching.lock_undispatched(worker, event_id)
        await pruning.execute("SET gatehouse.pruning = 'on'")
        deletion = asyncio.create_task(pruning.execute("DELETE FROM events WHERE id = $1", event_id))
        await until_waiting(cast.database, "DELETE FROM events")
        await worker.execute(
            "INSERT INTO deliveries (event_id, user_id, message, email, queue) "
            "SELECT $1, id, 'm', email, 'bulk' FROM users WHERE id = $2",
            event_id,
            await cast.user_id("mia"),
        )
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="An event stays as long as a delivery of it"):
        await deletion
    await cast.database.execute("DELETE FROM deliveries")
    assert await pruning.execute("DELETE FROM events WHERE id = $1", event_id) == "DELETE 1"
    await worker.close()
    await pruning.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET type = 'MFA_DISABLED'",
        "UPDATE events SET account_id = NULL",
        "UPDATE events SET subject_id = NULL",
        "UPDATE events SET actor_id = subject_id",
        "UPDATE events SET service_key = 'another'",
        "UPDATE events SET request_id = NULL",
        "UPDATE events SET traceparent = NULL",
        "UPDATE events SET occurred_at = now()",
        "UPDATE events SET data = data - 'ipAddress', dispatched_at = now()",
        "DELETE FROM events",
        "TRUNCATE events CASCADE",
        "UPDATE account_events SET event_id = event_id",
        "DELETE FROM account_events",
        "TRUNCATE account_events",
        "INSERT INTO events (id, type) OVERRIDING SYSTEM VALUE SELECT id, 'MFA_DISABLED' FROM events "
        "ON CONFLICT (id) DO UPDATE SET type = excluded.type",
    ],
)
async def test_what_has_happened_is_neither_changed_nor_deleted(world: World, statement: str) -> None:
    await world.sign_in("mia")
    before = await world.events()
    assert len(before) == 1
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="neither changed nor deleted"):
        await world.database.execute(statement)
    assert await world.events() == before


async def test_a_role_that_owns_nothing_suffices_and_cannot_undo_what_keeps_events(
    cast: World, database_url: str
) -> None:
    (grants,) = re.findall(r"## A role that owns nothing.*?```sql\n(.*?)```", OPERATIONS.read_text(), re.DOTALL)
    await cast.database.execute(grants + "ALTER ROLE gatehouse_app PASSWORD 'of-a-test'")
    url = re.sub(r"//[^@]*@", "//gatehouse_app:of-a-test@", database_url)
    async with serving(settings_for(url)) as cast.base_url:
        await cast.enrolled("mia")
        for client in cast.clients:
            await client.aclose()
    connection = await asyncpg.connect(url)
    try:
        for statement in (
            "DROP TRIGGER keep_events ON events",
            "ALTER TABLE events DISABLE TRIGGER ALL",
            "SET session_replication_role = 'replica'",
            "DELETE FROM events",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()
