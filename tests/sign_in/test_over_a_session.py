"""Signing in over one's own live session ends it: no copy of its cookie goes on beside the new one."""

from __future__ import annotations

from tests.client import Client
from tests.enrollment.passes import issue
from tests.operations import COMPLETE, REDEEM_PASS, SIGN_IN, VIEWER, WITH_COOKIE
from tests.people import PASSWORD, World, email
from tests.sign_in.cookies import cookie_client, copy


async def again(client: Client, name: str = "mia") -> str:
    answer = await client.do(WITH_COOKIE, email=email(name), password=PASSWORD)
    return str(answer.get("challengeToken") or answer["__typename"])


async def is_in(client: Client) -> bool:
    return (await client.ask(VIEWER))["viewer"] is not None


async def test_by_the_password(world: World) -> None:
    mia, elsewhere = await cookie_client(world, "mia"), await world.sign_in("mia")
    stolen = copy(world, mia)
    assert await again(mia) == "SignedIn"
    assert [await is_in(each) for each in (mia, elsewhere, stolen)] == [True, True, False]


async def test_by_the_second_factor_as_it_is_shown_and_not_before(world: World) -> None:
    mia = await cookie_client(world, "mia")
    factor = await world.enroll(mia)
    stolen = copy(world, mia)
    challenge = await again(mia)
    assert await is_in(stolen)
    assert (await mia.do(COMPLETE, token=challenge, code={"totp": "000000"}))["__typename"] == "InvalidCode"
    assert await is_in(stolen)
    assert (await mia.do(COMPLETE, token=challenge, code={"totp": await factor.code()}))["__typename"] == "SignedIn"
    assert [await is_in(each) for each in (mia, stolen)] == [True, False]


async def test_by_a_recovery_pass(world: World) -> None:
    mia, olive = await cookie_client(world, "mia"), await world.enrolled("olive")
    await world.enroll(mia)
    stolen = copy(world, mia)
    given = (await issue(olive, world))["recoveryPass"]
    answer = await mia.do(REDEEM_PASS, token=await again(mia), recoveryPass=given)
    assert answer["__typename"] == "RecoverySession"
    assert not await is_in(stolen)


async def test_whoever_is_somebody_else_or_gets_no_cookie_ends_none(world: World) -> None:
    mia = await cookie_client(world, "mia")
    stolen = copy(world, mia)
    assert (await mia.do(SIGN_IN, email=email("mia"), password=PASSWORD))["__typename"] == "SignedIn"
    assert await is_in(stolen)
    assert await again(mia, "adam") == "SignedIn"
    assert [await is_in(each) for each in (mia, stolen)] == [True, True]
    bearer = await world.sign_in("mia")
    before = bearer.token
    assert await again(bearer) == "SignedIn"
    bearer.token = before
    assert await is_in(bearer)
