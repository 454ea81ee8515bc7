"""A new password leaves what signs in at a provider: it is named, and seen anew where it comes from."""

from __future__ import annotations

import pytest

from rules.links import Purpose
from rules.service_keys import Right
from tests.coming_in.links import link_to
from tests.coming_in.operations import CHANGE, SET
from tests.oidc.browser import Browser, browser_of, viewer
from tests.people import PASSWORD, World, email
from tests.service.operations import SERVICE_SIGN_IN, backend

NEW = "another horse, another battery"


async def linked(world: World) -> Browser:
    """A browser in which somebody has linked an identity as Mia, and has been told of for that."""
    await world.sign_in("mia")
    browser = browser_of(world)
    await browser.sign_in(email("mia"))
    assert await viewer(browser) == email("mia")
    return browser


async def set_password(world: World) -> None:
    token = await link_to(world, email("mia"), Purpose.PASSWORD_RESET)
    assert (await world.client().do(SET, token=token, password=NEW))["__typename"] == "PasswordSet"


async def test_who_was_known_before_it_is_a_new_device_by_a_provider(world: World) -> None:
    browser = await linked(world)
    await browser.sign_in(email("mia"))
    told = len(await world.events("NEW_DEVICE_SIGNED_IN"))
    await set_password(world)
    await browser.sign_in(email("mia"))
    assert await viewer(browser) == email("mia")
    events = await world.events("NEW_DEVICE_SIGNED_IN")
    assert (len(events), events[-1]["data"]["amr"]) == (told + 1, "oidc")
    # Once: it has been seen since, if not within the same second, which is all that a cookie tells.
    await world.database.execute("UPDATE users SET password_set_at = date_trunc('second', password_set_at)")
    await browser.sign_in(email("mia"))
    assert len(await world.events("NEW_DEVICE_SIGNED_IN")) == told + 1


@pytest.mark.parametrize(("case", "named"), [("linked", "Test"), ("removed", ""), ("changed", "Test")])
async def test_a_new_password_names_what_goes_on_signing_in(world: World, case: str, named: str) -> None:
    await linked(world)
    if case == "removed":
        await world.database.execute("DELETE FROM identities")
    if case == "changed":
        mia = await world.sign_in("mia")
        assert (await mia.do(CHANGE, current=PASSWORD, new=NEW))["__typename"] == "PasswordChanged"
    else:
        await set_password(world)
    (event,) = await world.events("PASSWORD_CHANGED")
    assert event["data"].get("providers", "") == named


async def test_where_a_product_calls_its_own_way_in_oidc_its_devices_are_known_as_before(world: World) -> None:
    await world.sign_in("mia")
    service = await backend(world, Right.SIGN_IN)
    given = {"email": email("mia"), "amr": ["oidc"], "client": {"ipAddress": "203.0.113.9", "userAgent": "Safari"}}
    for _ in range(2):
        assert (await service.do(SERVICE_SIGN_IN, input=given))["__typename"] == "SignedIn"
    assert len(await world.events("NEW_DEVICE_SIGNED_IN")) == 1
