"""Whoever knows the password opens challenges in the places of strangers' own, and leaves the person theirs."""

from __future__ import annotations

from rules.service_keys import Right
from rules.throttling import MOST_CHALLENGES
from tests.client import Client
from tests.operations import COMPLETE
from tests.people import World, email
from tests.service.operations import SERVICE_SIGN_IN, backend
from tests.sign_in.strangers import challenged, flood

OPEN = "SELECT count(*) FROM challenges"


async def completed(client: Client, token: str, **code: str) -> str:
    answer = await client.do(COMPLETE, token=token, code=code)
    return str(answer["__typename"])


async def test_strangers_take_the_places_of_strangers_only(world: World) -> None:
    mia = await world.sign_in("mia")
    factor = await world.enroll(mia)
    stranger = world.client()
    own, another = await challenged(mia), await challenged(stranger)
    await flood(world)
    assert await world.database.fetchval(OPEN) == MOST_CHALLENGES + 1
    assert await completed(stranger, another, backupCode=factor.backup_codes[0]) == "ChallengeExpired"
    assert await completed(mia, own, backupCode=factor.backup_codes[0]) == "SignedIn"


async def test_nor_does_a_device_take_those_of_another(world: World) -> None:
    before, mia = [await world.sign_in("mia") for _ in range(2)]
    factor = await world.enroll(mia)
    own = await challenged(mia)
    await flood(world, before)
    assert await completed(mia, own, totp=await factor.code()) == "SignedIn"
    assert await world.database.fetchval(OPEN) == MOST_CHALLENGES


async def test_a_device_of_before_a_new_password_is_a_strangers(world: World) -> None:
    mia = await world.sign_in("mia")
    factor = await world.enroll(mia)
    await world.database.execute("UPDATE users SET password_set_at = now() + interval '2 seconds'")
    own = await challenged(mia)
    await flood(world)
    assert await completed(mia, own, totp=await factor.code()) == "ChallengeExpired"


async def test_nor_do_those_by_a_password_take_a_products(world: World) -> None:
    factor = await world.enroll(await world.sign_in("mia"))
    product = await backend(world, Right.SIGN_IN)
    begun = await product.do(SERVICE_SIGN_IN, input={"email": email("mia")})
    await flood(world)
    assert await completed(product, begun["challengeToken"], totp=await factor.code()) == "SignedIn"
