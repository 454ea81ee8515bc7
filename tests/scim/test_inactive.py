"""Whom a directory makes inactive: signed out in the same transaction, and kept out until they are active again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rules.service_keys import Right
from tests.client import Client
from tests.operations import COMPLETE, EMAIL_AND_ACCOUNT_IDS, SIGN_IN
from tests.people import PASSWORD, World, email, facts_of
from tests.scim.directory import USER, Directory, directory
from tests.service.operations import SERVICE_SIGN_IN, SESSION, backend


async def sign_in(world: World, name: str, password: str = PASSWORD) -> dict[str, Any]:
    """What signing in is answered."""
    return await world.client().do(SIGN_IN, email=email(name), password=password)


async def set_active(world: World, okta: Directory, name: str, is_active: bool) -> int:
    """Say whether the person is active; the answer's status."""
    operation = {"op": "Replace", "path": "active", "value": str(is_active)}
    return (await okta.patch(str(await world.user_id(name)), operation)).status_code


async def is_signed_in(client: Client) -> bool:
    """Whether the session still stands."""
    return bool((await client.raw(EMAIL_AND_ACCOUNT_IDS)).get("data", {}).get("viewer"))


async def test_sessions_and_challenges_end_and_the_event_bears_the_keys_name(world: World) -> None:
    okta = await directory(world)
    mia = await world.sign_in("mia")
    factor = await world.enroll(mia)
    challenged, token = await world.challenge("mia")
    assert await set_active(world, okta, "mia", False) == 200
    assert not await is_signed_in(mia)
    answer = await challenged.do(COMPLETE, token=token, code={"totp": await factor.code()})
    assert answer["__typename"] == "ChallengeExpired"
    wrong, right = await sign_in(world, "mia", "not the password"), await sign_in(world, "mia")
    assert wrong == right
    assert right["__typename"] == "InvalidCredentials"
    assert (await (await backend(world)).do(SERVICE_SIGN_IN, input={"email": email("mia")}))["__typename"] == (
        "InvalidCredentials"
    )
    (event,) = await world.events("STAFF_DEACTIVATED")
    assert (event["service_key"], event["subject_id"], facts_of(event)) == (
        "okta",
        await world.user_id("mia"),
        {"role": "MEMBER"},
    )
    assert await world.database.fetchval(
        "SELECT count(*) FROM account_events WHERE account_id = $1 AND event_id = $2", world.account_id, event["id"]
    )


async def test_active_again_they_are_who_they_were(world: World) -> None:
    okta = await directory(world)
    factor = await world.enroll(await world.sign_in("adam"))
    await set_active(world, okta, "adam", False)
    shown = (await okta.ask("GET", f"/Users/{await world.user_id('adam')}")).json()
    assert (shown["active"], shown["roles"]) == (False, [{"value": "ADMIN", "primary": True}])
    assert await okta.found("active eq false") == [email("adam")]
    await set_active(world, okta, "adam", True)
    assert await world.database.fetchval("SELECT role FROM staff WHERE email = $1", email("adam")) == "ADMIN"
    client, token = await world.challenge("adam")
    await world.forget_spent_steps("adam")
    assert (await client.do(COMPLETE, token=token, code={"totp": await factor.code()}))["__typename"] == "SignedIn"
    assert [facts_of(event) for event in await world.events("STAFF_REACTIVATED")] == [{"role": "ADMIN"}]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "active", "value": None},
        {"op": "add", "path": "active", "value": None},
        {"op": "remove", "path": "active"},
        {"op": "replace", "path": "active", "value": [{"value": None}]},
        {"op": "replace", "path": "active", "value": [{}]},
        {"op": "replace", "value": {"active": None, "displayName": "Mia"}},
        {"op": "add", "value": {"active": None, "userName": None, "emails": None, "roles": None, "externalId": None}},
        {"op": "remove", "path": "roles"},
        {"op": "remove", "path": "emails"},
        {"op": "remove", "path": "externalId"},
    ],
)
async def test_nobody_is_active_again_by_what_says_nothing_of_it(world: World, operation: dict[str, Any]) -> None:
    okta = await directory(world)
    await set_active(world, okta, "mia", False)
    before, path = await world.events(), f"/Users/{await world.user_id('mia')}"
    await okta.patch(str(await world.user_id("mia")), operation)
    # Nor by a whole resource that says nothing of it.
    await okta.ask("PUT", path, {"schemas": [USER], "userName": email("mia"), "active": None})
    assert await okta.found("active eq false") == [email("mia")]
    assert await world.events() == before
    assert (await sign_in(world, "mia"))["__typename"] == "InvalidCredentials"


async def test_webhooks_hear_of_it(world: World) -> None:
    await world.database.execute(
        "INSERT INTO webhooks (account_id, url, secret_sealed, secret_key_id) "
        "VALUES ($1, 'https://x.example', '', 'k')",
        world.account_id,
    )
    await set_active(world, await directory(world), "mia", False)
    told = await world.database.fetch(
        "SELECT type FROM webhook_deliveries JOIN events ON events.id = event_id ORDER BY events.id"
    )
    assert [row["type"] for row in told] == ["STAFF_DEACTIVATED"]


async def test_of_somebody_of_two_accounts_only_the_one_place_is_lost(world: World) -> None:
    okta, other = await directory(world), await directory(world, world.other_account_id, name="entra")
    await other.create(email("mia"), roles=[{"value": "ADMIN"}])
    mia = await world.sign_in("mia")
    service = await backend(world, Right.SIGN_IN, account_id=world.account_id)
    assert (await service.ask(SESSION, token=mia.token))["session"] is not None
    assert await set_active(world, okta, "mia", False) == 200
    viewer = (await mia.ask(EMAIL_AND_ACCOUNT_IDS))["viewer"]
    assert [each["account"]["id"] for each in viewer["memberships"]] == [str(world.other_account_id)]
    assert (await service.ask(SESSION, token=mia.token))["session"] is None
    assert (await sign_in(world, "mia"))["__typename"] == "SignedIn"
    # The last place that they had: from here on they are kept out.
    assert await set_active(world, other, "mia", False) == 200
    assert not await is_signed_in(mia)
    assert (await sign_in(world, "mia"))["__typename"] == "InvalidCredentials"


async def test_no_session_that_begins_meanwhile_outlives_it(world: World) -> None:
    okta = await directory(world)
    answers = await asyncio.gather(*(sign_in(world, "mia") for _ in range(6)), set_active(world, okta, "mia", False))
    assert answers[-1] == 200
    assert await world.database.fetchval("SELECT count(*) FROM sessions") == 0


async def test_whoever_comes_through_another_door_is_active(world: World) -> None:
    okta = await directory(world)
    await set_active(world, okta, "mia", False)
    await world.database.execute(
        "INSERT INTO staff (account_id, user_id, email, role) "
        "SELECT $1, id, email, 'ADMIN' FROM users WHERE email = $2",
        world.account_id,
        email("mia"),
    )
    shown = (await okta.ask("GET", f"/Users/{await world.user_id('mia')}")).json()
    assert (shown["active"], shown["roles"][0]["value"]) == (True, "ADMIN")
    assert (await sign_in(world, "mia"))["__typename"] == "SignedIn"
    await world.database.execute("DELETE FROM staff WHERE email = $1", email("mia"))
    assert (await okta.ask("GET", f"/Users/{await world.user_id('mia')}")).status_code == 404


async def test_a_directory_keeps_no_operator_of_the_platform_out(world: World) -> None:
    okta = await directory(world)
    await okta.create(email("sue"), active=False)
    assert (await sign_in(world, "sue"))["__typename"] == "SignedIn"


async def test_whom_a_directory_made_inactive_and_then_removed_stays_out(world: World) -> None:
    okta = await directory(world)
    await set_active(world, okta, "mia", False)
    assert (await okta.ask("DELETE", f"/Users/{await world.user_id('mia')}")).status_code == 204
    assert (await sign_in(world, "mia"))["__typename"] == "InvalidCredentials"
    product = await backend(world)
    answer = await product.do(SERVICE_SIGN_IN, input={"email": email("mia")})
    assert answer["__typename"] == "InvalidCredentials"
