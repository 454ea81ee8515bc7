"""Whoever is exempted hears nothing of the policy until that ends, and then in time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from db import outbox
from db.pool import Database
from rules.events.policy import GraceReminderSent, PolicyChanged, PolicyEnabled, Requirement
from tests.people import World, email, require_mfa
from tests.reminders.cast import THRESHOLDS, days_left, facts, give_more_time, planned, pool, sends
from workers.reminders import remind

__all__ = ["pool"]

FACTS: dict[type[Requirement], dict[str, Any]] = {
    PolicyEnabled: {"grace_days": 14},
    PolicyChanged: {"grace_days": 14},
    GraceReminderSent: {"days_left": 7},
}


async def exempt(cast: World, days: float, name: str = "mia") -> None:
    """Let the member be exempted until so many days from now, as was said a month ago."""
    await give_more_time(cast, name, days, is_exempt=True)


async def joined(cast: World, days_ago: float, *, joiner_days: int) -> None:
    """Let Mia have joined so long ago, after the requirement, all others long before."""
    await require_mfa(cast.database, cast.account_id, days_ago=20, grace_days=7)
    await cast.database.execute("UPDATE accounts SET joiner_days = $1 WHERE id = $2", joiner_days, cast.account_id)
    await cast.database.execute(
        "UPDATE staff SET created_at = now() - CASE WHEN email = $1 THEN $2::float8 ELSE 40 END * interval '24 hours'",
        email("mia"),
        days_ago,
    )


async def time_passes(cast: World, days: float) -> None:
    """Let the exemption be nearer its end by so many days."""
    await cast.database.execute(
        "UPDATE staff SET excepted_until = excepted_until - $1::float8 * interval '24 hours' WHERE is_exempt", days
    )


async def announce(cast: World, kind: type[Requirement]) -> None:
    """Let the policy's event of this kind have happened, of the requirement as it stands."""
    row = await cast.database.fetchrow(
        "SELECT required_since, grace_deadline AS deadline FROM accounts WHERE id = $1", cast.account_id
    )
    assert row is not None
    await outbox.append(cast.database, kind(account_id=cast.account_id, **row, **FACTS[kind]))


@pytest.mark.parametrize("kind", FACTS)
async def test_the_policys_mails_pass_over_who_is_exempted_though_their_exemption_ends_before_the_deadline(
    cast: World, pool: Database, kind: type[Requirement]
) -> None:
    await days_left(cast, 6.5)
    await exempt(cast, 5)
    await announce(cast, kind)
    assert await planned(cast, pool) == ["adam", "olive"]


async def test_who_is_exempted_until_the_last_day_before_the_deadline_is_told_as_all_are(
    cast: World, pool: Database
) -> None:
    await days_left(cast, 6.5)
    await exempt(cast, 5.6)
    await remind(pool, THRESHOLDS)
    assert await planned(cast, pool) == ["adam", "mia", "olive"]


async def test_who_is_exempted_until_the_last_day_is_not_told_once_more_as_that_ends(
    cast: World, pool: Database
) -> None:
    await days_left(cast, 0.9)
    await exempt(cast, 0.5)
    assert await remind(pool, THRESHOLDS) == 1
    assert await planned(cast, pool) == ["adam", "mia", "olive"]
    await time_passes(cast, 0.6)
    assert await remind(pool, THRESHOLDS) == 0


async def test_whose_exemption_had_ended_before_mfa_was_required_is_told_by_the_policys_mail_alone(
    cast: World, pool: Database
) -> None:
    await days_left(cast, 14)
    await exempt(cast, -0.1)
    await announce(cast, PolicyEnabled)
    assert await planned(cast, pool) == ["adam", "mia", "olive"]
    assert await remind(pool, THRESHOLDS) == 0


async def test_whose_deadline_is_that_of_joining_is_told_of_it_though_the_accounts_was_moved_since_their_exemption(
    cast: World, pool: Database
) -> None:
    await joined(cast, 5, joiner_days=15)
    await cast.database.execute("UPDATE accounts SET announced_at = now() WHERE id = $1", cast.account_id)
    await exempt(cast, -0.1)
    await remind(pool, THRESHOLDS)
    assert [told["daysLeft"] for told in await facts(cast)] == [10]


async def test_who_was_exempted_after_a_mail_was_written_is_not_sent_it(cast: World, pool: Database) -> None:
    await days_left(cast, 6.5)
    await remind(pool, THRESHOLDS)
    assert await planned(cast, pool) == ["adam", "mia", "olive"]
    await exempt(cast, 5)
    assert await sends(cast, pool) == ["adam", "olive"]


async def test_as_an_exemption_ends_the_person_is_told_of_the_deadline_that_is_left_once(
    cast: World, pool: Database
) -> None:
    await days_left(cast, 5.5)
    await exempt(cast, 0.1)
    assert await remind(pool, THRESHOLDS) == 1
    assert await planned(cast, pool) == ["adam", "olive"]
    await time_passes(cast, 0.2)
    assert sum(await asyncio.gather(*(remind(pool, THRESHOLDS) for _ in range(5)))) == 1
    told = (await facts(cast))[-1]
    assert told["daysLeft"] == 6
    assert await planned(cast, pool) == ["adam", "mia", "olive"]
    assert await sends(cast, pool) == ["adam", "mia", "olive"]
    assert await remind(pool, THRESHOLDS) == 0


async def test_who_has_enrolled_meanwhile_or_of_whom_nothing_is_required_is_told_nothing_then(
    cast: World, pool: Database
) -> None:
    await days_left(cast, 5.5)
    await remind(pool, THRESHOLDS)
    await exempt(cast, -0.1)
    await exempt(cast, -0.1, "adam")
    await cast.database.execute("UPDATE staff SET has_mfa = true WHERE email = $1", email("adam"))
    await cast.database.execute("UPDATE accounts SET required_of = 'OWNERS_AND_ADMINS'")
    assert await remind(pool, THRESHOLDS) == 0


async def test_who_joined_later_and_is_exempted_is_told_of_their_own_deadline_as_that_ends(
    cast: World, pool: Database
) -> None:
    await joined(cast, 7.5, joiner_days=10)
    await exempt(cast, 1)
    await remind(pool, THRESHOLDS)
    assert await facts(cast) == []
    await time_passes(cast, 1.1)
    await remind(pool, THRESHOLDS)
    (told,) = await facts(cast)
    assert told["daysLeft"] == 3


async def test_who_joined_later_and_is_exempted_until_the_last_day_is_reminded_before(
    cast: World, pool: Database
) -> None:
    await joined(cast, 7.5, joiner_days=10)
    await exempt(cast, 2)
    await remind(pool, THRESHOLDS)
    (told,) = await facts(cast)
    assert told["daysLeft"] == 3


async def test_who_is_exempted_longer_than_the_deadline_is_reminded_of_their_own_as_before(
    cast: World, pool: Database
) -> None:
    await days_left(cast, 0.5)
    await exempt(cast, 2.5)
    await remind(pool, (3,))
    events = await cast.events("GRACE_REMINDER_SENT")
    assert [event["data"]["daysLeft"] for event in events if event["subject_id"]] == [3]
