"""Of a kind one alert an hour leaves, and what else happens comes in one: once, whatever fails meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from db import outbox
from db.pool import Database
from rules.alerts import MOST_KNOWN, AlertKind
from rules.events.policy import PolicyDisabled
from tests.alerts.hearing import alerts, choose, happen, let_an_hour_pass, made, mails, settle, turned_off
from tests.people import World, email
from tests.reminders.cast import pool
from workers.alerts import tell_gathered
from workers.dispatching import Dispatcher

__all__ = ["pool"]


async def test_of_a_kind_one_an_hour_leaves_and_the_rest_comes_in_one(cast: World, pool: Database) -> None:
    for _ in range(4):
        await happen(cast, pool, await turned_off(cast))
    await happen(cast, pool, await made(cast, PolicyDisabled, {}))
    first = [("olive", "MFA_DISABLED", 1), ("olive", "POLICY_CHANGED", 1)]
    assert await alerts(cast) == first
    assert await tell_gathered(pool) == 0
    await let_an_hour_pass(cast)
    told = await asyncio.gather(*(tell_gathered(pool) for _ in range(4)))
    assert sum(told) == 1
    await settle(cast, pool)
    assert await alerts(cast) == [*first, ("olive", "MFA_DISABLED", 3)]
    assert await mails(cast, "alert") == ["olive"] * 3
    # The gathered one was the alert of its own hour.
    await happen(cast, pool, await turned_off(cast))
    assert len(await alerts(cast)) == 3
    await let_an_hour_pass(cast)
    assert (await tell_gathered(pool), await tell_gathered(pool)) == (1, 0)


async def test_after_a_quiet_hour_the_next_leaves_at_once(cast: World, pool: Database) -> None:
    await happen(cast, pool, await turned_off(cast))
    await let_an_hour_pass(cast)
    await happen(cast, pool, await turned_off(cast))
    assert await alerts(cast) == [("olive", "MFA_DISABLED", 1)] * 2


async def test_what_happens_before_the_gathered_ones_have_left_comes_with_them(cast: World, pool: Database) -> None:
    for _ in range(2):
        await happen(cast, pool, await turned_off(cast))
    await let_an_hour_pass(cast)
    await happen(cast, pool, await turned_off(cast))
    assert await alerts(cast) == [("olive", "MFA_DISABLED", 1)]
    await tell_gathered(pool)
    assert await alerts(cast) == [("olive", "MFA_DISABLED", 1), ("olive", "MFA_DISABLED", 2)]


async def test_of_many_planned_at_once_and_twice_each_is_told_exactly_once(cast: World, pool: Database) -> None:
    async with pool.transaction() as connection:
        await outbox.append_all(connection, [await turned_off(cast) for _ in range(20)])
    ids = [event["id"] for event in await cast.events("MFA_DISABLED")]
    await asyncio.gather(*(Dispatcher().dispatch(pool, event_id) for event_id in [*ids, *ids]))
    await settle(cast, pool)
    await let_an_hour_pass(cast)
    await asyncio.gather(*(tell_gathered(pool) for _ in range(3)))
    assert [count for _, _, count in await alerts(cast)] == [1, 19]
    (_, gathered) = await cast.events("ALERT_RAISED")
    assert len(gathered["data"]["told"]) == 10


async def test_of_what_was_gathered_all_is_counted_and_the_newest_are_known(cast: World, pool: Database) -> None:
    for _ in range(2):
        await happen(cast, pool, await turned_off(cast))
    newest = await cast.database.fetchval(
        """
        WITH copied AS (
            INSERT INTO events (type, subject_id, actor_id, data, dispatched_at)
            SELECT type, subject_id, actor_id, data, now() FROM gathered_alerts JOIN events ON events.id = event_id,
                generate_series(1, $1)
            RETURNING id
        ), gathered AS (
            INSERT INTO gathered_alerts (account_id, user_id, kind, event_id, told)
            SELECT account_id, user_id, kind, copied.id, told FROM gathered_alerts, copied
        )
        SELECT max(id) FROM copied
        """,
        MOST_KNOWN + 4,
    )
    await let_an_hour_pass(cast)
    assert await tell_gathered(pool) == 1
    data = (await cast.events("ALERT_RAISED"))[-1]["data"]
    assert (data["count"], data["eventIds"][0]) == (MOST_KNOWN + 5, newest)
    ids = [*data["eventIds"], *data["earlierIds"]]
    assert (len(ids), ids) == (MOST_KNOWN, sorted(ids, reverse=True))


@asynccontextmanager
async def failing(cast: World, table: str) -> AsyncIterator[None]:
    """While it lasts, whoever writes to this table loses all of their transaction."""
    await cast.database.execute(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE division_by_zero; END'; "
        f"CREATE TRIGGER fail BEFORE INSERT OR DELETE ON {table} EXECUTE FUNCTION fail()"
    )
    yield
    await cast.database.execute("DROP FUNCTION fail CASCADE")


async def test_a_worker_that_fails_while_planning_or_telling_loses_and_doubles_none(
    cast: World, pool: Database
) -> None:
    async with pool.transaction() as connection:
        await outbox.append_all(connection, [await turned_off(cast), await turned_off(cast)])
    async with failing(cast, "deliveries"):
        for event in await cast.events("MFA_DISABLED"):
            with pytest.raises(asyncpg.DivisionByZeroError):
                await Dispatcher().dispatch(pool, event["id"])
    assert await alerts(cast) == []
    await settle(cast, pool)
    await let_an_hour_pass(cast)
    async with failing(cast, "events"):
        with pytest.raises(asyncpg.DivisionByZeroError):
            await tell_gathered(pool)
    await tell_gathered(pool)
    assert await alerts(cast) == [("olive", "MFA_DISABLED", 1)] * 2


async def test_who_wants_none_any_more_gets_nothing_that_was_gathered(cast: World, pool: Database) -> None:
    for _ in range(2):
        await happen(cast, pool, await turned_off(cast))
    await choose(cast, AlertKind.MFA_DISABLED, owners=False, admins=False)
    await let_an_hour_pass(cast)
    assert await tell_gathered(pool) == 0
    assert await cast.database.fetchval("SELECT count(*) FROM gathered_alerts") == 0


async def test_who_leaves_takes_what_was_gathered_along(cast: World, pool: Database) -> None:
    for _ in range(2):
        await happen(cast, pool, await turned_off(cast))
    await cast.database.execute("DELETE FROM staff WHERE email = $1", email("olive"))
    await let_an_hour_pass(cast)
    assert await tell_gathered(pool) == 0


async def test_what_a_later_version_has_gathered_stays_for_its_workers(cast: World, pool: Database) -> None:
    for _ in range(2):
        await happen(cast, pool, await turned_off(cast))
    await cast.database.execute(
        "INSERT INTO alert_turns SELECT account_id, user_id, 'OF_LATER', until FROM alert_turns; "
        "UPDATE gathered_alerts SET kind = 'OF_LATER'"
    )
    await let_an_hour_pass(cast)
    assert await tell_gathered(pool) == 0
    assert await cast.database.fetchval("SELECT count(*) FROM alert_hours WHERE kind = 'OF_LATER'") == 0
    await cast.database.execute("UPDATE gathered_alerts SET kind = 'MFA_DISABLED'")  # whose worker knows it
    assert await tell_gathered(pool) == 1
    assert await alerts(cast) == [("olive", "MFA_DISABLED", 1)] * 2
