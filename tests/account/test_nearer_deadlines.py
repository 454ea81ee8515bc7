"""Whoever has to set up MFA sooner than they were told, since a policy was saved, is told of their own deadline."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from db.pool import Database
from rules.often import JOININGS_MAILED
from tests.client import Client
from tests.operations import UPDATE_SCOPE
from tests.people import World, crowd, email, require_mfa
from tests.reminders.cast import planned, pool, sends

__all__ = ["pool"]

# Mia has joined lately, an account that has required MFA for long; the others were there before.
JOINED_LATER = """
UPDATE staff SET created_at = now() - CASE WHEN email = $1 THEN interval '6 days' ELSE interval '90 days' END
"""


@pytest_asyncio.fixture
async def olive(world: World) -> Client:
    """Olive, of an account where who joins later has two weeks; the account's own deadline was long ago."""
    olive = await world.enrolled("olive")
    await require_mfa(world.database, world.account_id, days_ago=60, grace_days=7)
    await world.database.execute("UPDATE accounts SET joiner_days = 14 WHERE id = $1", world.account_id)
    await world.database.execute(JOINED_LATER, email("mia"))
    await world.database.execute("UPDATE events SET dispatched_at = now()")
    return olive


async def save(olive: Client, world: World, **wanted: Any) -> None:
    """Save some of the policy."""
    policy = {"accountId": str(world.account_id), "requireMfa": True, **wanted}
    assert (await olive.do(UPDATE_SCOPE, input=policy))["__typename"] == "SecurityPolicyUpdated"


async def told(world: World) -> list[str]:
    """Who is told, each of the deadline that is theirs now."""
    rows = await world.database.fetch(
        """
        SELECT split_part(email, '@', 1) AS name,
            (data ->> 'deadline')::timestamptz = mfa_deadline(accounts, staff)
                AND (data ->> 'requiredSince')::timestamptz = required_since AS is_true
        FROM events JOIN staff ON staff.account_id = events.account_id AND user_id = subject_id
        JOIN accounts ON accounts.id = events.account_id JOIN account_events ON event_id = events.id
        WHERE type = 'MFA_REQUIRED' ORDER BY events.id
        """
    )
    assert all(row["is_true"] for row in rows)
    return [row["name"] for row in rows]


@pytest.mark.parametrize("days", [10, 3, 0])
async def test_who_joined_later_hears_of_fewer_days_and_nobody_else_does(
    world: World, pool: Database, olive: Client, days: int
) -> None:
    await save(olive, world, joinerDays=days)
    assert await told(world) == ["mia"]
    assert await planned(world, pool) == ["mia"]
    assert await sends(world, pool) == ["mia"]


async def test_what_leaves_them_as_much_time_or_more_tells_them_nothing(world: World, olive: Client) -> None:
    await save(olive, world, joinerDays=20)
    await save(olive, world, requiredOf="OWNERS_AND_ADMINS", joinerDays=1)
    assert await told(world) == []


async def test_of_more_people_those_hear_whose_own_days_still_run(world: World, pool: Database, olive: Client) -> None:
    await world.database.execute("UPDATE accounts SET required_of = 'OWNERS_AND_ADMINS'")
    await crowd(world.database, world.account_id, 1)
    await world.database.execute("UPDATE staff SET created_at = now() - interval '90 days' WHERE email ~ '^0'")
    await save(olive, world, requiredOf="EVERYONE")
    assert await told(world) == ["mia"]
    # The other two by the policy's own mail.
    assert await planned(world, pool) == ["000000", "adam", "mia"]


async def test_a_deadline_that_is_ones_own_once_the_accounts_came_nearer_is_told(
    world: World, pool: Database, olive: Client
) -> None:
    await require_mfa(world.database, world.account_id, days_ago=10, grace_days=30)
    await save(olive, world, gracePeriodDays=11)
    assert await told(world) == ["mia"]
    assert await planned(world, pool) == ["adam", "mia"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE staff SET invited_at = now() WHERE email = $1",
        "UPDATE users SET reenrollment_required_at = now() WHERE email = $1",
        "UPDATE staff SET is_exempt = true, excepted_until = now() + interval '9 days' WHERE email = $1",
        "UPDATE staff SET excepted_until = now() + interval '20 days' WHERE email = $1",
        "INSERT INTO factors (user_id, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id) "
        "SELECT id, '', 'test', 0, decode(repeat('00', 16), 'hex'), 'test' FROM users WHERE email = $1",
    ],
    ids=["invited", "reset", "exempted", "extended", "enrolled"],
)
async def test_nobody_is_told_of_whom_nothing_is_asked_sooner(world: World, olive: Client, change: str) -> None:
    await world.database.execute(change, email("mia"))
    await save(olive, world, joinerDays=0)
    assert await told(world) == []


@pytest.mark.parametrize(("days", "hears"), [(2.5, True), (1, False)], ids=["on the last day", "before"])
async def test_whose_exemption_ends_on_the_last_day_before_a_nearer_deadline_hears_of_it_now(
    world: World, olive: Client, days: float, hears: bool
) -> None:
    await world.database.execute(
        "UPDATE staff SET is_exempt = true, excepted_until = now() + $2::float8 * interval '24 hours' WHERE email = $1",
        email("mia"),
        days,
    )
    await save(olive, world, joinerDays=9)
    assert await told(world) == ["mia"] * hears


async def test_nobodys_mailbox_is_filled_by_saving_it_over_and_over(world: World, olive: Client) -> None:
    for _ in range(JOININGS_MAILED + 2):
        await save(olive, world, joinerDays=14)
        await save(olive, world, joinerDays=0)
    mailed = [event["data"]["isMailed"] for event in await world.events("MFA_REQUIRED")]
    assert mailed == [True] * JOININGS_MAILED + [False] * 2


async def test_however_many_have_joined_each_hears_once(world: World, olive: Client) -> None:
    await crowd(world.database, world.account_id, 3_000)
    await save(olive, world, joinerDays=3)
    assert len(set(await told(world))) == 3_001
    assert len(await world.events("MFA_REQUIRED")) == 3_001
