"""Which alerts are emailed is set by owners alone, and each change is told to all of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rules.alerts import AlertKind
from tests.alerts.operations import MATRIX, NEWEST_SUMMARY, UPDATE_ALERTS
from tests.client import Client
from tests.people import World

OFF = [{"kind": "POLICY_CHANGED", "email": False}]


async def matrix(client: Client, world: World) -> dict[str, tuple[bool, bool]]:
    """The agency's settings by kind: owners, admins."""
    found = (await client.ask(MATRIX, account=str(world.account_id)))["account"]["alerts"]
    return {each["kind"]: (each["email"], each["emailAdmins"]) for each in found}


async def update(client: Client, world: World, alerts: list[dict[str, Any]]) -> dict[str, Any]:
    """Set the agency's alerts."""
    return await client.do(UPDATE_ALERTS, account=str(world.account_id), alerts=alerts)


async def test_by_default_owners_get_every_kind_and_admins_none(world: World) -> None:
    olive = await world.sign_in("olive")
    assert await matrix(olive, world) == {str(kind): (True, False) for kind in AlertKind}


async def test_an_owner_sets_some_and_the_others_stay(world: World) -> None:
    olive = await world.sign_in("olive")
    answer = await update(olive, world, [*OFF, {"kind": "MFA_RESET", "emailAdmins": True}])
    assert answer["__typename"] == "AlertsUpdated", answer
    expected = {str(kind): (True, False) for kind in AlertKind}
    expected |= {"POLICY_CHANGED": (False, False), "MFA_RESET": (True, True)}
    assert {each["kind"]: (each["email"], each["emailAdmins"]) for each in answer["alerts"]} == expected
    assert await matrix(olive, world) == expected
    (event,) = await world.events("ALERTS_CHANGED")
    assert event["account_id"] == world.account_id
    assert event["data"]["emailedToAdmins"] == ["MFA_RESET"]
    assert "POLICY_CHANGED" not in event["data"]["emailed"]
    (node,) = (await olive.ask(NEWEST_SUMMARY, id=str(world.account_id)))["account"]["auditLog"]["nodes"]
    assert node["summary"] == (
        "olive@agency.example changed the alerts by email: owners get 10 of 11, admins get 1 of 11."
    )
    await update(olive, world, OFF)
    assert len(await world.events("ALERTS_CHANGED")) == 1


async def test_a_kind_of_a_later_version_that_owners_have_set_is_left_alone(world: World) -> None:
    olive = await world.sign_in("olive")
    await world.database.execute("INSERT INTO alert_settings VALUES ($1, 'OF_LATER', false, true)", world.account_id)
    assert await matrix(olive, world) == {str(kind): (True, False) for kind in AlertKind}
    assert (await update(olive, world, OFF))["__typename"] == "AlertsUpdated"
    assert await world.database.fetchval("SELECT email_admins FROM alert_settings WHERE kind = 'OF_LATER'")


async def test_of_many_at_once_none_is_lost(world: World) -> None:
    olive = await world.sign_in("olive")
    wishes = [[{"kind": str(kind), "email": False}] for kind in AlertKind]
    await asyncio.gather(*(update(olive, world, each) for each in wishes))
    assert set((await matrix(olive, world)).values()) == {(False, False)}


async def test_a_kind_given_twice_is_refused_by_its_field(world: World) -> None:
    olive = await world.sign_in("olive")
    answer = await update(olive, world, [*OFF, *OFF])
    assert (answer["__typename"], answer["field"]) == ("InvalidInput", "alerts")
    assert await world.events("ALERTS_CHANGED") == []


async def test_an_admin_and_a_super_admin_see_and_change_nothing(world: World) -> None:
    for name in ("adam", "sue"):
        client = await world.enrolled(name)
        assert await matrix(client, world) == {str(kind): (True, False) for kind in AlertKind}
        assert (await update(client, world, OFF))["__typename"] == "NotPermitted"
    assert await world.events("ALERTS_CHANGED") == []


@pytest.mark.parametrize("name", ["mia", "sam"])
async def test_members_and_strangers_find_nothing_here(world: World, name: str) -> None:
    client = await world.sign_in(name)
    variables = {"account": str(world.account_id)}
    assert await client.refusal(MATRIX, **variables) == "NOT_FOUND"
    assert await client.refusal(UPDATE_ALERTS, **variables, alerts=OFF) == "NOT_FOUND"


async def test_signed_out_or_with_an_old_proof_nothing_is_changed(world: World) -> None:
    variables = {"account": str(world.account_id), "alerts": OFF}
    assert await world.client().refusal(UPDATE_ALERTS, **variables) == "UNAUTHENTICATED"
    olive = await world.sign_in("olive")
    await world.database.execute("UPDATE sessions SET password_at = now() - interval '16 minutes'")
    assert await olive.refusal(UPDATE_ALERTS, **variables) == "REAUTHENTICATION_REQUIRED"
    assert await world.events("ALERTS_CHANGED") == []
