"""The yearly check-up: whoever's app has shown no code for a year is asked for one, and kept from nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import languages
from rules import check_up
from rules.check_up import CHECK_UP_EVERY
from tests.client import Client
from tests.operations import CHECK_UP, PROVE, REGENERATE
from tests.people import World

NOW = datetime(2026, 11, 24, 14, 3, tzinfo=UTC)


async def asked(client: Client) -> Any:
    """The check-up that the viewer is asked."""
    return (await client.ask(CHECK_UP))["viewer"]["checkUp"]


async def let_a_year_pass(world: World, days: int = 365) -> None:
    """Since everybody's app has shown a code."""
    await world.database.execute(
        "UPDATE factors SET enabled_at = enabled_at - $1::int * interval '1 day', "
        "last_step = last_step - 2880 * $1::int",
        days,
    )


@pytest.mark.parametrize(
    ("enabled", "shown", "is_due"),
    [
        (CHECK_UP_EVERY, CHECK_UP_EVERY, True),
        (CHECK_UP_EVERY - timedelta(seconds=1), CHECK_UP_EVERY * 2, False),
        (CHECK_UP_EVERY * 2, CHECK_UP_EVERY - timedelta(seconds=30), False),
        (CHECK_UP_EVERY * 2, CHECK_UP_EVERY + timedelta(days=1), True),
    ],
)
def test_it_is_due_a_year_after_the_last_code(enabled: timedelta, shown: timedelta, is_due: bool) -> None:
    step = int((NOW - shown).timestamp()) // 30
    assert (check_up.due(NOW - enabled, step, NOW) is not None) is is_due
    assert check_up.due(None, step, NOW) is None


async def test_nobody_is_asked_before_a_year_is_over(world: World) -> None:
    mia = await world.enrolled("mia")
    await let_a_year_pass(world, 364)
    assert await asked(mia) is None


async def test_after_a_year_a_code_is_asked_for_and_one_ends_it(world: World) -> None:
    mia = await world.sign_in("mia")
    factor = await world.enroll(mia)
    await let_a_year_pass(world)
    found = await asked(mia)
    assert (found["title"], found["actionLabel"]) == (check_up.TITLE, check_up.ACTION_LABEL)
    assert (await mia.do(PROVE, code=await factor.code()))["viewer"] == {"checkUp": None}
    assert await asked(mia) is None
    (event,) = await world.events("MFA_PROVED")
    assert event["subject_id"] == await world.user_id("mia")


async def test_it_speaks_the_language_of_the_request(world: World) -> None:
    mia = await world.enrolled("mia")
    await let_a_year_pass(world)
    mia.headers["accept-language"] = "fr"
    assert (await asked(mia))["message"] == languages.told(check_up.MESSAGE, "fr") != check_up.MESSAGE


async def test_a_wrong_or_spent_code_is_a_guess_like_any_other(world: World) -> None:
    mia = await world.sign_in("mia")
    factor = await world.enroll(mia)
    await let_a_year_pass(world)
    spent = await factor.code()
    assert (await mia.do(PROVE, code=spent))["__typename"] == "MfaProved"
    assert (await mia.do(PROVE, code=spent))["__typename"] == "InvalidCode"
    for _ in range(9):
        assert (await mia.do(PROVE, code="000000"))["__typename"] == "InvalidCode"
    for operation in (PROVE, REGENERATE):
        assert (await mia.do(operation, code=await factor.code(1)))["__typename"] == "TooManyAttempts"
    assert len(await world.events("MFA_PROVED")) == 1


async def test_without_a_session_or_a_factor_there_is_nothing_to_prove(world: World) -> None:
    assert await world.client().refusal(PROVE, code="123456") == "UNAUTHENTICATED"
    assert (await (await world.sign_in("mia")).do(PROVE, code="123456"))["__typename"] == "MfaNotEnabled"
