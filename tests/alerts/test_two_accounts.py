"""Whoever owns two accounts hears of both as of one, and of each only what is theirs."""

from __future__ import annotations

import asyncio

import db.alerts
from db import outbox
from db.pool import Database
from tests.alerts.hearing import alerts, happen, let_an_hour_pass, turned_off
from tests.people import World, email
from tests.reminders.cast import pool
from workers.alerts import tell_gathered
from workers.dispatching import Dispatcher

__all__ = ["pool"]


async def test_what_shows_in_two_accounts_is_told_to_the_owners_of_each(cast: World, pool: Database) -> None:
    await join_other(cast, "mia", "MEMBER")
    await happen(cast, pool, await turned_off(cast))
    told = [(event["account_id"], event["subject_id"]) for event in await cast.events("ALERT_RAISED")]
    assert sorted(told) == sorted(
        [(cast.account_id, await cast.user_id("olive")), (cast.other_account_id, await cast.user_id("sam"))]
    )


async def join_other(cast: World, name: str, role: str) -> None:
    """Let somebody have a role in the other account, too."""
    await cast.database.execute(
        "INSERT INTO staff (account_id, user_id, email, role) SELECT $1, id, email, $3 FROM users WHERE email = $2",
        cast.other_account_id,
        email(name),
        role,
    )


async def heard_by(cast: World, name: str) -> list[tuple[str | None, tuple[str, ...]]]:
    """What the newest alert tells somebody: about whom, and of which accounts."""
    event = (await cast.events("ALERT_RAISED"))[-1]
    heard = await db.alerts.heard(cast.database, await cast.user_id(name), event["data"]["eventIds"])
    return [(each.subject_email, each.account_names) for each in heard]


async def test_an_owner_of_two_accounts_gets_one_of_a_kind_an_hour_and_the_rest_of_both_in_one(
    cast: World, pool: Database
) -> None:
    await join_other(cast, "olive", "OWNER")
    await happen(cast, pool, await turned_off(cast, "mia"), await turned_off(cast, "sam"))
    mine = [alert for alert in await alerts(cast) if alert[0] == "olive"]
    assert mine == [("olive", "MFA_DISABLED", 1)]
    assert await heard_by(cast, "olive") == [(email("mia"), ("Agency",))]
    await join_other(cast, "mia", "MEMBER")
    await happen(cast, pool, await turned_off(cast, "mia"))
    await let_an_hour_pass(cast)
    await asyncio.gather(*(tell_gathered(pool) for _ in range(4)))
    # Mia's shows in both: it is one thing.
    assert [alert for alert in await alerts(cast) if alert[0] == "olive"] == [*mine, ("olive", "MFA_DISABLED", 2)]
    assert await heard_by(cast, "olive") == [(email("mia"), ("Agency", "Other")), (email("sam"), ("Other",))]
    # What is of an account that she has left meanwhile is not told.
    await cast.database.execute(
        "DELETE FROM staff WHERE account_id = $1 AND email = $2", cast.other_account_id, email("olive")
    )
    assert await heard_by(cast, "olive") == [(email("mia"), ("Agency",))]


async def test_two_accounts_at_once_take_one_turn(cast: World, pool: Database) -> None:
    await join_other(cast, "olive", "OWNER")
    async with pool.transaction() as connection:
        await outbox.append_all(connection, [await turned_off(cast, name) for name in ("mia", "sam") for _ in range(5)])
    ids = [event["id"] for event in await cast.events("MFA_DISABLED")]
    await asyncio.gather(*(Dispatcher().dispatch(pool, event_id) for event_id in ids))
    assert [alert for alert in await alerts(cast) if alert[0] == "olive"] == [("olive", "MFA_DISABLED", 1)]
    await let_an_hour_pass(cast)
    await tell_gathered(pool)
    assert [alert for alert in await alerts(cast) if alert[0] == "olive"][1:] == [("olive", "MFA_DISABLED", 9)]
