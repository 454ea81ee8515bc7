"""How an account complied with its own requirement, at any past instant.

The suite does it with a few histories; COMPLIANCE_HISTORIES=1000 with as many as that.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import compliance, exceptions, policy
from db.pool import Connection as Database
from rules.standing import ExceptionKind
from server.local.clock import let_pass
from tests.account.histories import STEP, Step, people, take
from tests.client import Client
from tests.operations import COMPLIANCE
from tests.people import World, crowd

HISTORIES = int(os.environ.get("COMPLIANCE_HISTORIES", "40"))
# A change, and by how many hours the clock goes on behind it: past deadlines and ends of exceptions, too.
steps = st.lists(st.tuples(STEP, st.sampled_from([0, 0, 1, 24, 49, 24 * 7])), min_size=1, max_size=12)


async def live(database: Database, account_id: UUID) -> tuple[datetime, tuple[int, ...]]:
    """The database's time, and then: the progress as everybody sees it, who is excepted, and the grace period."""
    async with database.transaction():
        now: datetime = await database.fetchval("SELECT now()")
        found = await policy.progress(database, account_id)
        excepted = await database.fetchval(
            "SELECT count(*) FROM staff WHERE account_id = $1 AND invited_at IS NULL AND excepted_until > now() "
            "AND NOT has_mfa",
            account_id,
        )
        grace_days = await database.fetchval("SELECT coalesce(grace_days, -1) FROM accounts WHERE id = $1", account_id)
        counts = (found.staff_count, found.enrolled_count, found.pending_count, found.blocked_count)
        return now, (*counts, excepted, grace_days)


@settings(max_examples=HISTORIES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=steps)
async def test_it_says_of_any_past_instant_what_was_seen_then(
    database: Database, database_url: str, history: list[tuple[Step, int]]
) -> None:
    # What earlier histories left behind would be moved by the clock, too.
    for table in ("accounts", "users", "factor_history", "reset_history"):
        await database.execute(f"DELETE FROM {table}")
    account_id = await database.fetchval("INSERT INTO accounts (name) VALUES ('Agency') RETURNING id")
    four = await people(database)
    seen = [await live(database, account_id)]
    for step, hours in history:
        await take(database, account_id, four, step)
        seen.append(await live(database, account_id))
        if hours:
            passed = timedelta(hours=hours)
            await let_pass(database_url, passed)
            seen = [(at - passed, counts) for at, counts in seen]
            seen.append(await live(database, account_id))
    for at, counts in seen:
        found = await compliance.at(database, account_id, at)
        assert found is not None
        told = (found.staff_count, found.enrolled_count, found.pending_count, found.blocked_count)
        in_force = -1 if found.grace_days is None else found.grace_days
        assert (*told, found.excepted_count, in_force) == counts


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
    for beyond in ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"):  # which in UTC is no instant any more
        assert await olive.refusal(COMPLIANCE, id=str(world.account_id), at=beyond) == "BAD_USER_INPUT"


@pytest.mark.parametrize("name", ["mia", "sam"])
async def test_members_and_strangers_find_nothing_here(world: World, name: str) -> None:
    stranger = await world.sign_in(name)
    assert await stranger.refusal(COMPLIANCE, id=str(world.account_id)) == "NOT_FOUND"


async def test_ten_thousand_staff_are_counted(world: World) -> None:
    await crowd(world.database, world.account_id, 10_000)
    found = await compliance.at(world.database, world.account_id, None)
    assert found is not None
    assert found.staff_count == 10_003
