"""How an account complied with its own requirement, at any past instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import compliance, exceptions, policy
from db.pool import Connection as Database
from rules.policy import RequiredOf, Wanted
from rules.standing import ExceptionKind
from tests.client import Client
from tests.operations import COMPLIANCE
from tests.people import World, crowd

steps = st.lists(
    st.tuples(
        st.sampled_from(["require", "lift", "join", "leave", "enroll", "disable", "reset", "extend", "exempt", "end"]),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=12,
)


async def step(database: Database, account_id: UUID, people: list[UUID], what: str, who: int, much: int) -> None:
    """One change, each as the product's own statements make it."""
    user_id = people[who]
    until = await database.fetchval("SELECT now() + $1::interval", timedelta(days=much, milliseconds=1))
    match what:
        case "require":
            wanted = Wanted(much * 2, much, RequiredOf.OWNERS_AND_ADMINS if who else RequiredOf.EVERYONE)
            await policy.save(database, account_id, wanted)
        case "lift":
            await policy.save(database, account_id, Wanted(None))
        case "join":
            await database.execute(
                "INSERT INTO staff (account_id, user_id, email, role) "
                "SELECT $1, id, email, $3 FROM users WHERE id = $2 "
                "ON CONFLICT (account_id, user_id) DO UPDATE SET role = $3",
                account_id,
                user_id,
                ["OWNER", "ADMIN", "MEMBER", "MEMBER"][much],
            )
        case "leave":
            await database.execute("DELETE FROM staff WHERE account_id = $1 AND user_id = $2", account_id, user_id)
        case "enroll":
            await database.execute(
                "INSERT INTO factors (user_id, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id) "
                "VALUES ($1, '', 'k', 0, $2, 'k') ON CONFLICT DO NOTHING",
                user_id,
                bytes(16),
            )
            await database.execute("UPDATE users SET reenrollment_required_at = NULL WHERE id = $1", user_id)
        case "disable":
            await database.execute("DELETE FROM factors WHERE user_id = $1", user_id)
        case "reset":
            await database.execute("DELETE FROM factors WHERE user_id = $1", user_id)
            await database.execute("UPDATE users SET reenrollment_required_at = now() WHERE id = $1", user_id)
        case "end":
            for each in await exceptions.listed(database, account_id, None, with_ended=False, limit=1):
                await exceptions.end(database, account_id, each.id, None)
        case _:
            member = await database.fetchval(
                "SELECT user_id FROM staff WHERE account_id = $1 AND user_id = $2", account_id, user_id
            )
            kind = ExceptionKind.EXTENDED if what == "extend" else ExceptionKind.EXEMPTED
            given = [member] if member else []
            await exceptions.give(
                database, account_id, given, kind, until=until, reason="-", author_id=None, is_break_glass=False
            )


async def live(database: Database, account_id: UUID) -> tuple[datetime, tuple[int, ...]]:
    """The database's time, and the progress as everybody sees it then."""
    async with database.transaction():
        now: datetime = await database.fetchval("SELECT now()")
        found = await policy.progress(database, account_id)
        return now, (found.staff_count, found.enrolled_count, found.pending_count, found.blocked_count)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=steps)
async def test_it_says_of_any_past_instant_what_was_seen_then(
    database: Database, history: list[tuple[str, int, int]]
) -> None:
    account_id = await database.fetchval("INSERT INTO accounts (name) VALUES ('Agency') RETURNING id")
    people = await crowd_of_four(database)
    seen = [await live(database, account_id)]
    for what, who, much in history:
        await step(database, account_id, people, what, who, much)
        seen.append(await live(database, account_id))
    for at, counts in seen:
        found = await compliance.at(database, account_id, at)
        assert found is not None
        told = (found.staff_count, found.enrolled_count, found.pending_count, found.blocked_count)
        assert told == counts


async def crowd_of_four(database: Database) -> list[UUID]:
    """Four people who are staff of nothing yet."""
    rows = await database.fetch(
        "INSERT INTO users (email, password_hash) SELECT gen_random_uuid() || '@crowd.example', 'x' "
        "FROM generate_series(1, 4) RETURNING id"
    )
    return [row["id"] for row in rows]


async def ask(client: Client, world: World, at: datetime | None = None) -> dict[str, Any]:
    """The agency's compliance."""
    answer = await client.ask(COMPLIANCE, id=str(world.account_id), at=at.isoformat() if at else None)
    found: dict[str, Any] = answer["account"]["compliance"]
    return found


async def test_owners_see_the_exceptions_that_held_with_their_words(world: World) -> None:
    olive = await world.sign_in("olive")
    before = await world.database.fetchval("SELECT now()")
    until = before + timedelta(days=2)
    await exceptions.give(
        world.database,
        world.account_id,
        [await world.user_id("mia")],
        ExceptionKind.EXEMPTED,
        until=until,
        reason="On leave",
        author_id=None,
        is_break_glass=False,
    )
    now = await ask(olive, world)
    assert (now["staffCount"], now["exceptedCount"]) == (3, 1)
    assert now["exceptions"] == [{"email": "mia@agency.example", "reason": "On leave"}]
    assert (await ask(olive, world, before))["exceptions"] == []


@pytest.mark.parametrize("at", [datetime(2020, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)])
async def test_of_the_time_before_the_account_and_of_the_future_nothing_is_said(world: World, at: datetime) -> None:
    olive = await world.sign_in("olive")
    assert await olive.refusal(COMPLIANCE, id=str(world.account_id), at=at.isoformat()) == "BAD_USER_INPUT"


@pytest.mark.parametrize("name", ["mia", "sam"])
async def test_members_and_strangers_find_nothing_here(world: World, name: str) -> None:
    stranger = await world.sign_in(name)
    assert await stranger.refusal(COMPLIANCE, id=str(world.account_id)) == "NOT_FOUND"


async def test_ten_thousand_staff_are_counted(world: World) -> None:
    await crowd(world.database, world.account_id, 10_000)
    found = await compliance.at(world.database, world.account_id, None)
    assert found is not None
    assert found.staff_count == 10_003
