"""The yearly check-up by email: whoever's app has shown no code for a year is asked to show one, once a year."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest_asyncio

from db import deliveries
from db.pool import Database
from rules.events.mailing import BULK
from tests.operations import CHECK_UP, COMPLETE, PROVE
from tests.people import Factor, World
from tests.reminders.cast import planned, pool
from workers.check_up import remind_of_check_ups

__all__ = ["pool"]


async def let_pass(world: World, days: int) -> None:
    """Let so many days pass for everybody's app, whose steps are numbers."""
    await world.database.execute(
        "UPDATE factors SET enabled_at = enabled_at - $1::int * interval '24 hours', "
        "checked_up_at = checked_up_at - $1::int * interval '24 hours', last_step = last_step - 2880 * $1",
        days,
    )


async def asked(world: World, pool: Database) -> list[str]:
    """Whom the mails went to so far that would leave now."""
    await planned(world, pool)
    # Mails to one person leave in their order.
    before = "UPDATE deliveries SET state = 'sent' WHERE message <> 'check_up_reminded' OR state = 'sending'"
    await world.database.execute(before)
    async with pool.connection() as connection:
        await deliveries.claim(connection, BULK, uuid4(), 100, 24)
    rows = await world.database.fetch(
        "SELECT split_part(email, '@', 1) AS name FROM deliveries WHERE message = 'check_up_reminded' "
        "AND state IN ('sending', 'sent') ORDER BY id"
    )
    return [row["name"] for row in rows]


@pytest_asyncio.fixture
async def factor(world: World) -> Factor:
    """Mia's app."""
    return await world.enroll(await world.sign_in("mia"))


async def test_it_is_sent_a_year_after_the_last_code_and_once(world: World, pool: Database, factor: Factor) -> None:
    await let_pass(world, 364)
    assert await remind_of_check_ups(pool) == 0
    await let_pass(world, 2)
    assert (await remind_of_check_ups(pool), await remind_of_check_ups(pool)) == (1, 0)
    assert await asked(world, pool) == ["mia"]
    (event,) = await world.events("CHECK_UP_REMINDED")
    assert (event["subject_id"], event["actor_id"]) == (await world.user_id("mia"), None)
    await let_pass(world, 364)
    assert await remind_of_check_ups(pool) == 0
    await let_pass(world, 2)
    assert await remind_of_check_ups(pool) == 1
    assert await asked(world, pool) == ["mia", "mia"]


async def test_a_code_meanwhile_puts_it_off_until_a_year_after_that_code(
    world: World, pool: Database, factor: Factor
) -> None:
    await let_pass(world, 300)
    client, token = await world.challenge("mia")
    assert (await client.do(COMPLETE, token=token, code={"totp": await factor.code()}))["__typename"] == "SignedIn"
    for days, sent in ((70, 0), (290, 0), (6, 1), (300, 0), (70, 1)):
        await let_pass(world, days)
        assert await remind_of_check_ups(pool) == sent, days


async def test_a_code_in_a_session_ends_it_and_a_mail_that_has_not_left_is_dropped(
    world: World, pool: Database, factor: Factor
) -> None:
    client, token = await world.challenge("mia")
    answer = await client.do(COMPLETE, token=token, code={"backupCode": factor.backup_codes[0]})
    client.token = answer["sessionToken"]
    await let_pass(world, 366)
    assert await remind_of_check_ups(pool) == 1
    assert (await client.ask(CHECK_UP))["viewer"]["checkUp"] is not None
    assert (await client.do(PROVE, code=await factor.code()))["viewer"] == {"checkUp": None}
    assert await asked(world, pool) == []
    await let_pass(world, 364)
    assert await remind_of_check_ups(pool) == 0


async def test_whoever_turned_mfa_off_or_left_is_asked_nothing(world: World, pool: Database, factor: Factor) -> None:
    await let_pass(world, 366)
    await remind_of_check_ups(pool)
    await world.database.execute("DELETE FROM factors")
    assert await asked(world, pool) == []
    await world.let_have_mfa("mia")
    await world.database.execute("DELETE FROM staff WHERE user_id = $1", await world.user_id("mia"))
    await let_pass(world, 366)
    assert await remind_of_check_ups(pool) == 0


async def test_the_operator_of_the_platform_is_asked_too(world: World, pool: Database) -> None:
    await world.let_have_mfa("sue")
    await let_pass(world, 366)
    assert await remind_of_check_ups(pool) == 1


async def test_four_workers_at_once_ask_each_person_once(world: World, pool: Database) -> None:
    for name in ("olive", "adam", "mia"):
        await world.let_have_mfa(name)
    await let_pass(world, 366)
    assert sum(await asyncio.gather(*(remind_of_check_ups(pool) for _ in range(4)))) == 3
    assert len(await world.events("CHECK_UP_REMINDED")) == 3
