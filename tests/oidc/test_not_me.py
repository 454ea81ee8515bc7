"""'This was not me' of a sign-in by a provider takes away what signed in, or it would come again by the same word."""

from __future__ import annotations

from rules.links import Purpose
from rules.service_keys import Right
from tests.alerts.operations import REJECT
from tests.client import Client
from tests.coming_in.links import link_to
from tests.oidc.browser import browser_of, identities, problem, signed_in, viewer
from tests.operations import SIGN_IN
from tests.people import PASSWORD, World, email
from tests.service.operations import SERVICE_SIGN_IN, backend

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Safari/604.1"


async def rejected(world: World) -> dict[str, object]:
    """Say by the link of the newest email that the sign-in was somebody else's; what is answered."""
    token = await link_to(world, email("mia"), Purpose.NOT_MY_SIGN_IN, about="NEW_DEVICE_SIGNED_IN")
    return dict(await world.client().do(REJECT, token=token))


async def by_password(world: World) -> Client:
    """Mia's phone, a new device, on which she has signed in by her password."""
    phone = world.client(**{"user-agent": PHONE})
    assert (await phone.do(SIGN_IN, email=email("mia"), password=PASSWORD))["__typename"] == "SignedIn"
    return phone


async def test_it_signs_nobody_in_any_more_and_a_link_sets_another_password(world: World) -> None:
    await world.sign_in("mia")
    browser = browser_of(world)
    browser.http.headers["user-agent"] = PHONE
    await browser.sign_in(email("mia"))
    assert await viewer(browser) == email("mia")
    assert await rejected(world) == {"__typename": "SignInRejected", "email": email("mia"), "passwordLinkSent": True}
    assert await viewer(browser) is None
    assert problem(await browser_of(world).sign_in(email("mia"))) == "removed"
    (event,) = await world.events("IDENTITY_REMOVED")
    assert (event["subject_id"], event["actor_id"]) == (await world.user_id("mia"),) * 2
    assert event["data"]["provider"] == "Test"


async def test_whoever_has_no_password_is_sent_a_link_to_set_one(world: World) -> None:
    await world.sign_in("mia")
    await world.database.execute("UPDATE users SET password_hash = NULL WHERE email = $1", email("mia"))
    browser = browser_of(world)
    browser.http.headers["user-agent"] = PHONE
    await browser.sign_in(email("mia"))
    assert (await rejected(world))["passwordLinkSent"] is True
    assert len(await world.events("PASSWORD_RESET_REQUESTED")) == 1
    assert await identities(world) == []


async def test_of_a_sign_in_by_password_it_leaves_what_is_linked(world: World) -> None:
    await signed_in(world)
    await by_password(world)
    await rejected(world)
    assert (await identities(world), await world.events("IDENTITY_REMOVED")) == ([email("mia")], [])


async def test_of_a_sign_in_by_a_product_that_calls_it_so_it_leaves_what_is_linked(world: World) -> None:
    await signed_in(world)
    service = await backend(world, Right.SIGN_IN)
    given = {"email": email("mia"), "amr": ["oidc"], "client": {"ipAddress": "203.0.113.9", "userAgent": PHONE}}
    assert (await service.do(SERVICE_SIGN_IN, input=given))["__typename"] == "SignedIn"
    await rejected(world)
    assert (await identities(world), await world.events("IDENTITY_REMOVED")) == ([email("mia")], [])


async def test_what_was_linked_since_that_sign_in_signs_nobody_in_any_more(world: World) -> None:
    await world.sign_in("mia")
    await by_password(world)
    token = await link_to(world, email("mia"), Purpose.NOT_MY_SIGN_IN, about="NEW_DEVICE_SIGNED_IN")
    thief = browser_of(world)
    await thief.sign_in(email("mia"))
    assert await identities(world) == [email("mia")]
    assert (await world.client().do(REJECT, token=token))["__typename"] == "SignInRejected"
    assert (await identities(world), await viewer(thief)) == ([], None)
    assert problem(await browser_of(world).sign_in(email("mia"))) == "removed"
    (event,) = await world.events("IDENTITY_REMOVED")
    assert (event["subject_id"], event["data"]["provider"]) == (await world.user_id("mia"), "Test")


async def test_what_was_removed_in_the_meantime_is_told_of_once(world: World, issuer: str) -> None:
    await world.sign_in("mia")
    browser = browser_of(world)
    browser.http.headers["user-agent"] = PHONE
    await browser.sign_in(email("mia"))
    await world.database.execute("DELETE FROM identities")
    assert (await rejected(world))["__typename"] == "SignInRejected"
    assert await world.events("IDENTITY_REMOVED") == []
