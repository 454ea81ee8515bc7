"""Of whom MFA is required, and what those get who join later."""

from __future__ import annotations

from typing import Any

import pytest

from tests.client import Client
from tests.operations import DAYS_LEFT, IMPACT_OF, UPDATE_SCOPE
from tests.people import World


async def save(client: Client, world: World, **wanted: Any) -> dict[str, Any]:
    """Require MFA of the agency's staff, at once."""
    policy = {"accountId": str(world.account_id), "requireMfa": True, "gracePeriodDays": 0, **wanted}
    return await client.do(UPDATE_SCOPE, input=policy)


async def manager(world: World) -> Client:
    """Olive, with a second factor."""
    olive = await world.sign_in("olive")
    await world.enroll(olive)
    return olive


async def test_required_of_owners_and_admins_it_asks_nothing_of_members(world: World) -> None:
    olive, mia, adam = await manager(world), await world.sign_in("mia"), await world.sign_in("adam")
    answer = await save(olive, world, requiredOf="OWNERS_AND_ADMINS")
    assert answer["securityPolicy"] == {"requireMfa": True, "requiredOf": "OWNERS_AND_ADMINS", "joinerDays": 0}
    assert (await mia.ask(DAYS_LEFT))["viewer"]["mfaNotice"] is None
    assert (await adam.ask(DAYS_LEFT))["viewer"]["mfaNotice"]["blocking"] is True


async def test_widened_to_everyone_it_bites_at_once_and_tells_so(world: World) -> None:
    olive, mia = await manager(world), await world.sign_in("mia")
    await save(olive, world, requiredOf="OWNERS_AND_ADMINS")
    await save(olive, world, requiredOf="EVERYONE")
    assert (await mia.ask(DAYS_LEFT))["viewer"]["mfaNotice"]["blocking"] is True
    (event,) = await world.events("POLICY_CHANGED")
    assert event["data"]["isWidened"] is True


async def test_what_is_not_given_stays_as_it_is(world: World) -> None:
    olive = await manager(world)
    await save(olive, world, requiredOf="OWNERS_AND_ADMINS", joinerDays=5)
    answer = await save(olive, world, gracePeriodDays=3)
    assert answer["securityPolicy"] == {"requireMfa": True, "requiredOf": "OWNERS_AND_ADMINS", "joinerDays": 5}


async def test_who_joins_later_gets_the_days_of_their_own(world: World) -> None:
    olive, mia = await manager(world), await world.sign_in("mia")
    await save(olive, world, joinerDays=5)
    assert (await mia.ask(DAYS_LEFT))["viewer"]["mfaNotice"]["blocking"] is True
    await world.database.execute("UPDATE staff SET created_at = now() WHERE id = $1", await world.staff_id("mia"))
    assert (await mia.ask(DAYS_LEFT))["viewer"]["mfaNotice"] == {"daysRemaining": 5, "blocking": False}


async def test_what_is_chosen_while_nothing_is_required_stops_no_requirement(world: World) -> None:
    olive = await manager(world)
    await save(olive, world, requireMfa=False, gracePeriodDays=None, joinerDays=5, requiredOf="OWNERS_AND_ADMINS")
    (event,) = await world.events("POLICY_PREPARED", "POLICY_DISABLED")
    assert event["type"] == "POLICY_PREPARED"
    assert {name: event["data"][name] for name in ("joinerDays", "requiredOf")} == {
        "joinerDays": 5,
        "requiredOf": "OWNERS_AND_ADMINS",
    }


@pytest.mark.parametrize("days", [-1, 31])
async def test_the_days_of_those_who_join_later_are_0_to_30(world: World, days: int) -> None:
    answer = await save(await manager(world), world, joinerDays=days)
    assert answer == {"__typename": "InvalidInput", "field": "joinerDays"}
    assert await world.events("POLICY_ENABLED") == []


async def test_the_impact_counts_those_of_whom_it_would_be_required(world: World) -> None:
    olive = await manager(world)
    account = (await olive.ask(IMPACT_OF, id=str(world.account_id), of="OWNERS_AND_ADMINS"))["account"]
    assert account["policyImpact"] == {"affectedCount": 1, "blockedNowCount": 1}
    account = (await olive.ask(IMPACT_OF, id=str(world.account_id), of=None))["account"]
    assert account["policyImpact"] == {"affectedCount": 2, "blockedNowCount": 2}
