"""Reminders of a running grace period: each once, to those alone who still have to set up MFA."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from db import policy, reminders
from db.pool import Database
from rules.failures import ServiceUnavailable
from rules.policy import RequiredOf, Wanted
from tests.people import World, email
from tests.reminders.cast import THRESHOLDS, days_left, facts, planned, pool, sends
from workers.reminders import remind

__all__ = ["pool"]


async def test_each_threshold_is_recorded_once_however_often_and_by_however_many_it_is_planned(
    cast: World, pool: Database
) -> None:
    await days_left(cast, 2.5)
    made = await asyncio.gather(*(remind(pool, THRESHOLDS) for _ in range(5)))
    assert sum(made) == 1
    assert await remind(pool, THRESHOLDS) == 0
    (reminder,) = await facts(cast)
    assert reminder["daysLeft"] == 3


async def test_after_an_outage_only_the_latest_due_one_is_recorded(cast: World, pool: Database) -> None:
    await days_left(cast, 8)
    assert await remind(pool, THRESHOLDS) == 0
    await let_days_pass(cast, 1.5)
    assert await remind(pool, THRESHOLDS) == 1
    await let_days_pass(cast, 6)
    assert await remind(pool, THRESHOLDS) == 1
    assert [each["daysLeft"] for each in await facts(cast)] == [7, 1]


async def test_a_planner_that_dies_half_way_leaves_nothing(cast: World, pool: Database) -> None:
    await days_left(cast, 2.5)
    with pytest.raises(ServiceUnavailable):
        async with pool.transaction() as connection:
            (running,) = await reminders.running(connection, 7)
            assert await reminders.claim(connection, [(running, 3)]) == {running.account_id}
            await connection.execute("SET LOCAL statement_timeout = 1; SELECT pg_sleep(1)")
    assert await facts(cast) == []
    assert await remind(pool, THRESHOLDS) == 1


async def test_the_thresholds_are_those_of_the_setting(cast: World, pool: Database) -> None:
    await days_left(cast, 5)
    assert await remind(pool, (4, 2)) == 0
    assert await remind(pool, (5,)) == 1


async def test_a_requirement_that_was_just_announced_is_not_reminded_of_on_the_same_day(
    cast: World, pool: Database
) -> None:
    await days_left(cast, 7, grace_days=7)
    assert await remind(pool, THRESHOLDS) == 0


# What nobody is mailed of where the deadline stays.
QUIET = [Wanted(14, joiner_days=5), Wanted(14, required_of=RequiredOf.OWNERS_AND_ADMINS)]
quietly = pytest.mark.parametrize("wanted", QUIET, ids=["joiner days", "of fewer"])


@quietly
async def test_what_nobody_is_mailed_of_puts_off_no_reminder(cast: World, pool: Database, wanted: Wanted) -> None:
    await days_left(cast, 1.5)
    await policy.save(cast.database, cast.account_id, wanted)
    await let_days_pass(cast, 1)
    assert await remind(pool, THRESHOLDS) == 1
    (reminder,) = await facts(cast)
    assert reminder["daysLeft"] == 1


@quietly
async def test_what_nobody_is_mailed_of_lets_the_end_be_told(cast: World, pool: Database, wanted: Wanted) -> None:
    await days_left(cast, -0.1)
    await policy.save(cast.database, cast.account_id, wanted)
    assert await remind(pool, THRESHOLDS) == 1
    (ended,) = await facts(cast, "GRACE_PERIOD_ENDED")
    assert ended["announced"] is False


async def test_a_requirement_of_more_people_is_announced_to_them(cast: World, pool: Database) -> None:
    await days_left(cast, -0.1)
    await policy.save(cast.database, cast.account_id, Wanted(14, required_of=RequiredOf.OWNERS_AND_ADMINS))
    await policy.save(cast.database, cast.account_id, Wanted(14, required_of=RequiredOf.EVERYONE))
    assert await remind(pool, THRESHOLDS) == 1
    (ended,) = await facts(cast, "GRACE_PERIOD_ENDED")
    assert ended["announced"] is True


async def test_all_staff_who_are_not_enrolled_are_reminded_and_nobody_else(cast: World, pool: Database) -> None:
    await days_left(cast, 2.5)
    await enroll(cast, "adam")
    await remind(pool, THRESHOLDS)
    assert await planned(cast, pool) == ["mia", "olive"]
    assert await sends(cast, pool) == ["mia", "olive"]


async def test_whoever_enrolls_or_leaves_is_not_reminded_even_when_queued(cast: World, pool: Database) -> None:
    await days_left(cast, 2.5)
    await remind(pool, THRESHOLDS)
    assert await planned(cast, pool) == ["adam", "mia", "olive"]
    await enroll(cast, "adam")
    await cast.database.execute("DELETE FROM staff WHERE email = $1", email("mia"))
    assert await sends(cast, pool) == ["olive"]
    states = await cast.database.fetch("SELECT state FROM deliveries ORDER BY email")
    assert [row["state"] for row in states] == ["dropped", "dropped", "sending"]


@pytest.mark.parametrize("grace_days", [None, 20], ids=["lifted", "moved"])
async def test_a_lifted_or_moved_requirement_reminds_nobody_even_when_queued(
    cast: World, pool: Database, grace_days: int | None
) -> None:
    await days_left(cast, 2.5)
    await remind(pool, THRESHOLDS)
    await planned(cast, pool)
    await policy.save(cast.database, cast.account_id, Wanted(grace_days))
    assert await sends(cast, pool) == []


async def test_a_deadline_that_was_moved_is_reminded_of_anew(cast: World, pool: Database) -> None:
    await days_left(cast, 2.5)
    assert await remind(pool, THRESHOLDS) == 1
    await policy.save(cast.database, cast.account_id, Wanted(21))
    assert await remind(pool, THRESHOLDS) == 0
    await let_days_pass(cast, 7)
    assert await remind(pool, THRESHOLDS) == 1
    await policy.save(cast.database, cast.account_id, Wanted(14))
    await policy.save(cast.database, cast.account_id, Wanted(21))
    await cast.database.execute("UPDATE accounts SET announced_at = required_since")
    assert await remind(pool, THRESHOLDS) == 0


async def test_a_reminder_is_of_no_use_after_the_deadline(cast: World, pool: Database) -> None:
    await days_left(cast, 0.5)
    await remind(pool, THRESHOLDS)
    await planned(cast, pool)
    await cast.database.execute("UPDATE deliveries SET expires_at = now()")
    assert await sends(cast, pool) == []


async def test_the_end_of_a_grace_period_is_recorded_once_and_told_to_those_it_stops(
    cast: World, pool: Database
) -> None:
    await days_left(cast, -0.1)
    await enroll(cast, "adam")
    made = await asyncio.gather(*(remind(pool, THRESHOLDS) for _ in range(5)))
    assert sum(made) == 1
    assert len(await facts(cast, "GRACE_PERIOD_ENDED")) == 1
    assert await planned(cast, pool) == ["mia", "olive"]


async def test_a_grace_period_of_no_days_is_told_by_its_announcement_alone(cast: World, pool: Database) -> None:
    await days_left(cast, 0, grace_days=0)
    assert await remind(pool, THRESHOLDS) == 1
    assert len(await facts(cast, "GRACE_PERIOD_ENDED")) == 1
    assert await planned(cast, pool) == []


async def let_days_pass(cast: World, days: float) -> None:
    """Move every stored time so far back."""
    await cast.database.execute(
        """
        WITH ago AS (SELECT $1::float8 * interval '24 hours' AS span), moved AS (
            UPDATE reminders SET required_since = required_since - span, grace_deadline = grace_deadline - span FROM ago
        )
        UPDATE accounts SET required_since = required_since - span, grace_deadline = grace_deadline - span,
            announced_at = announced_at - span
        FROM ago
        """,
        days,
    )


async def enroll(cast: World, name: str) -> UUID:
    """Give the person a factor."""
    user_id = await cast.user_id(name)
    await cast.database.execute(
        "INSERT INTO factors (user_id, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id) "
        r"VALUES ($1, '\x00', 'test', 0, decode(repeat('00', 16), 'hex'), 'test')",
        user_id,
    )
    return user_id
