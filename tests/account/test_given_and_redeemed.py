"""What a recovery pass has begun goes on only as long as whoever gave it might give it still."""

from __future__ import annotations

from tests.account.adams import given, not_any_more, still
from tests.client import Client
from tests.enrollment.passes import begun, redeem
from tests.operations import BEGIN_RECOVERY, REPLACE
from tests.people import World


async def redeemed(world: World) -> Client:
    """Mia in a session of the pass that Adam gave her."""
    client, answer = await redeem(world, await given(world))
    assert answer["__typename"] == "RecoverySession", answer
    return client


@not_any_more
async def test_it_neither_begins_nor_ends_once_they_might_not(world: World, change: str) -> None:
    mia = await redeemed(world)
    new = await begun(mia)
    await world.database.execute(change)
    assert await mia.refusal(REPLACE, code=await new.code()) == "UNAUTHENTICATED"
    assert await mia.refusal(BEGIN_RECOVERY) == "UNAUTHENTICATED"
    assert await world.events("AUTHENTICATOR_REPLACED") == []


@still
async def test_it_goes_on_while_they_might(world: World, change: str) -> None:
    mia = await redeemed(world)
    await world.database.execute(change)
    new = await begun(mia)
    assert (await mia.do(REPLACE, code=await new.code()))["__typename"] == "AuthenticatorReplaced"


async def test_what_a_version_before_has_redeemed_goes_on_for_its_half_hour(world: World) -> None:
    mia = await redeemed(world)
    await world.database.execute("UPDATE sessions SET pass_given_at = NULL, pass_issuer = NULL, pass_account = NULL")
    await world.database.execute("UPDATE staff SET role = 'MEMBER' WHERE email LIKE 'adam@%'")
    await begun(mia)
