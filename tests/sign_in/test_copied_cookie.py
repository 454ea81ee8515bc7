"""A copy of a cookie ends as its owner shows again who they are, changes their password or signs others out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rules.links import Purpose
from tests.account.operations import CONFIRM
from tests.client import Client
from tests.coming_in.links import link_to
from tests.coming_in.operations import CHANGE
from tests.operations import BEGIN_REPLACEMENT, SHOW_AGAIN, TRY_SIGNING_OUT_OTHERS, VIEWER
from tests.people import PASSWORD, World, email
from tests.sign_in.cookies import cookie_client, copy

NEW_PASSWORD = "another horse, another battery"


async def reauthenticate(client: Client, **given: Any) -> dict[str, Any]:
    """Show again who one is."""
    return await client.do(SHOW_AGAIN, input=given)


@pytest.mark.parametrize("by", ["password", "code", "both", "moving to another app"])
async def test_a_copied_cookie_has_no_part_in_a_proof_that_its_owner_shows(world: World, by: str) -> None:
    olive = await cookie_client(world, "olive")
    factor = await world.enroll(olive)
    stolen = copy(world, olive)
    password, code = {"password": PASSWORD}, {"code": {"totp": await factor.code()}}
    if by == "moving to another app":
        assert (await olive.do(BEGIN_REPLACEMENT, **code))["__typename"] == "MfaEnrollment"
    else:
        shown: dict[str, dict[str, Any]] = {"password": password, "code": code, "both": {**password, **code}}
        given = shown[by]
        assert (await reauthenticate(olive, **given))["__typename"] == "Reauthenticated"
    assert (await olive.ask(VIEWER))["viewer"] is not None
    assert await stolen.ask(VIEWER) == {"viewer": None}


@pytest.mark.parametrize("change", [CHANGE, TRY_SIGNING_OUT_OTHERS])
async def test_a_copied_cookie_outlives_neither_a_new_password_nor_signing_out_others(
    world: World, change: str
) -> None:
    mia = await cookie_client(world, "mia")
    stolen = copy(world, mia)
    given = {"current": PASSWORD, "new": "another horse, another battery"} if change is CHANGE else {}
    assert (await mia.do(change, **given))["__typename"] in {"PasswordChanged", "OtherSessionsEnded"}
    assert (await mia.ask(VIEWER))["viewer"] is not None
    assert await stolen.ask(VIEWER) == {"viewer": None}


async def test_of_those_with_one_cookie_who_renew_it_at_once_one_goes_on(world: World) -> None:
    mia = await cookie_client(world, "mia")
    everybody = [mia, *(copy(world, mia) for _ in range(3))]
    async with world.database.transaction():
        await world.database.execute("SELECT FROM users WHERE email = $1 FOR UPDATE", email("mia"))
        under_way = [asyncio.create_task(each.raw(TRY_SIGNING_OUT_OTHERS)) for each in everybody]
        while await world.database.fetchval("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted") < 4:
            await asyncio.sleep(0.01)
    answers = await asyncio.gather(*under_way)
    assert [bool(each.get("errors")) for each in answers].count(False) == 1
    assert [(await each.ask(VIEWER))["viewer"] is not None for each in everybody].count(True) == 1


async def test_a_copied_cookie_has_no_part_in_enrolling_that_its_owner_has_confirmed(world: World) -> None:
    mia = await cookie_client(world, "mia")
    stolen = copy(world, mia)
    token = await link_to(world, email("mia"), Purpose.ENROLLMENT)
    assert (await mia.do(CONFIRM, token=token))["__typename"] == "MfaEnrollmentConfirmed"
    assert (await mia.ask(VIEWER))["viewer"] is not None
    assert await stolen.ask(VIEWER) == {"viewer": None}


async def test_a_session_by_bearer_token_goes_on_under_it(world: World) -> None:
    mia = await world.sign_in("mia")
    assert (await reauthenticate(mia, password=PASSWORD))["__typename"] == "Reauthenticated"
    await mia.do(TRY_SIGNING_OUT_OTHERS)
    assert (await mia.do(CHANGE, current=PASSWORD, new="another horse, another battery"))["viewer"]
    assert (await mia.ask(VIEWER))["viewer"] is not None
