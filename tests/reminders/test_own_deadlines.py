"""Members with a deadline of their own are reminded of that one, and nobody else is."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from db.own_reminders import AT_ONCE
from db.pool import Database
from tests.people import World, crowd, email, require_mfa
from tests.reminders.cast import THRESHOLDS, days_left, facts, give_more_time, planned, pool, sends
from workers.reminders import remind

__all__ = ["pool"]


async def test_who_got_more_time_is_reminded_before_their_own_deadline_once(cast: World, pool: Database) -> None:
    await days_left(cast, -2)
    await remind(pool, THRESHOLDS)
    await give_more_time(cast, "mia", 2.5)
    assert sum(await asyncio.gather(*(remind(pool, THRESHOLDS) for _ in range(5)))) == 1
    (reminder,) = await facts(cast)
    assert reminder["daysLeft"] == 3
    assert await remind(pool, THRESHOLDS) == 0


async def test_the_accounts_own_mails_pass_over_them(cast: World, pool: Database) -> None:
    await days_left(cast, 2.5)
    await give_more_time(cast, "mia", 20)
    await remind(pool, THRESHOLDS)
    assert await planned(cast, pool) == ["adam", "olive"]


async def test_the_end_of_an_own_deadline_is_told_to_that_person_alone(cast: World, pool: Database) -> None:
    await days_left(cast, -2)
    await remind(pool, THRESHOLDS)
    await cast.database.execute("UPDATE events SET dispatched_at = now()")
    await give_more_time(cast, "mia", -0.1)
    assert await remind(pool, THRESHOLDS) == 1
    assert await planned(cast, pool) == ["mia"]
    assert await sends(cast, pool) == ["mia"]
    assert await remind(pool, THRESHOLDS) == 0


async def test_a_mail_of_an_own_deadline_that_moved_is_dropped(cast: World, pool: Database) -> None:
    await days_left(cast, -2)
    await remind(pool, THRESHOLDS)
    await cast.database.execute("UPDATE events SET dispatched_at = now()")
    await give_more_time(cast, "mia", 0.5)
    await remind(pool, THRESHOLDS)
    assert await planned(cast, pool) == ["mia"]
    await cast.database.execute("UPDATE staff SET excepted_until = excepted_until + interval '10 days'")
    assert await sends(cast, pool) == []


async def test_who_joins_later_has_the_days_of_those_who_join_later(
    cast: World, pool: Database, database: asyncpg.Connection[asyncpg.Record]
) -> None:
    await days_left(cast, -2)
    await remind(pool, THRESHOLDS)
    await database.execute("UPDATE events SET dispatched_at = now()")
    await database.execute("UPDATE accounts SET joiner_days = 10 WHERE id = $1", cast.account_id)
    await database.execute("UPDATE staff SET created_at = now() - interval '8 days' WHERE email = $1", email("mia"))
    await database.execute(
        "UPDATE accounts SET required_since = now() - interval '20 days', grace_days = 7, "
        "grace_deadline = now() - interval '13 days' WHERE id = $1",
        cast.account_id,
    )
    await database.execute("UPDATE staff SET created_at = now() - interval '40 days' WHERE email <> $1", email("mia"))
    assert await remind(pool, THRESHOLDS) == 1
    assert await planned(cast, pool) == ["mia"]


async def test_however_many_joined_on_one_day_each_of_them_is_reminded_once(cast: World, pool: Database) -> None:
    await require_mfa(cast.database, cast.account_id, days_ago=20, grace_days=7)
    await cast.database.execute("UPDATE accounts SET joiner_days = 10 WHERE id = $1", cast.account_id)
    await cast.database.execute("UPDATE staff SET created_at = now() - interval '40 days'")
    joined = await crowd(cast.database, cast.account_id, 2 * AT_ONCE + 1)
    await cast.database.execute(
        "UPDATE staff SET created_at = now() - interval '8 days' WHERE user_id = ANY ($1)", joined
    )
    await asyncio.gather(*(remind(pool, THRESHOLDS) for _ in range(2)))
    told = [event["subject_id"] for event in await cast.events("GRACE_REMINDER_SENT")]
    assert sorted(told) == sorted(joined)


async def test_what_fails_for_some_keeps_neither_others_from_being_reminded_nor_grace_periods_from_ending(
    cast: World, pool: Database
) -> None:
    await require_mfa(cast.database, cast.account_id, days_ago=20, grace_days=7)
    await cast.database.execute("UPDATE accounts SET joiner_days = 10 WHERE id = $1", cast.account_id)
    await cast.database.execute("UPDATE staff SET created_at = now() - interval '40 days'")
    joined = await crowd(cast.database, cast.account_id, AT_ONCE + 1)
    await cast.database.execute(
        "UPDATE staff SET created_at = now() - interval '8 days' WHERE user_id = ANY ($1)", joined
    )
    last = max(joined)  # of a page, they come by their ids
    await cast.database.execute(f"ALTER TABLE own_reminders ADD CHECK (user_id <> '{last}')")
    with pytest.raises(asyncpg.CheckViolationError):
        await remind(pool, THRESHOLDS)
    told = [event["subject_id"] for event in await cast.events("GRACE_REMINDER_SENT")]
    assert sorted(told) == sorted(set(joined) - {last})
    assert len(await cast.events("GRACE_PERIOD_ENDED")) == 1
