"""Who may give a recovery pass and use one: by a cookie, by a session that a product began, and by a service key."""

from __future__ import annotations

import pytest

from rules.service_keys import Right
from tests.client import Client
from tests.enrollment.passes import begun, issue, redeem, refused
from tests.operations import COMPLETE, REDEEM_PASS, REPLACE, SIGN_OUT, VIEWER_EMAIL, WITH_COOKIE
from tests.people import PASSWORD, World, email
from tests.service.operations import SERVICE_SIGN_IN, SESSION, backend

CLIENT = {"ipAddress": "203.0.113.9", "userAgent": "Firefox/145.0"}


async def by_cookie(world: World, name: str) -> Client:
    """A browser on which somebody without a factor is signed in by a cookie."""
    browser = world.client()
    answer = await browser.do(WITH_COOKIE, email=email(name), password=PASSWORD)
    assert (answer["__typename"], answer["sessionToken"]) == ("SignedIn", None)
    return browser


async def challenged_by_product(world: World, name: str, web: Client) -> str:
    """A product has checked the person's password; the challenge's token."""
    answer = await web.do(SERVICE_SIGN_IN, input={"email": email(name), "client": CLIENT, "amr": ["fed"]})
    assert answer["__typename"] == "MfaChallenge", answer
    return str(answer["challengeToken"])


async def test_by_a_cookie_a_pass_is_given_and_used_as_by_a_token(world: World) -> None:
    olive, lost = await by_cookie(world, "olive"), await world.enroll(await world.sign_in("mia"))
    assert await refused(olive, world) == "NotPermitted"  # without MFA of her own
    await world.enroll(olive)
    recovery_pass = (await issue(olive, world))["recoveryPass"]

    browser = world.client()
    challenge = await browser.do(WITH_COOKIE, email=email("mia"), password=PASSWORD)
    answer = await browser.do(REDEEM_PASS, token=challenge["challengeToken"], recoveryPass=recovery_pass)
    assert (answer["__typename"], answer["sessionToken"]) == ("RecoverySession", None)
    assert await browser.ask(VIEWER_EMAIL) == {"viewer": None}
    assert await refused(browser, world, "adam") == "UNAUTHENTICATED"
    new = await begun(browser)
    recovering = browser.http.cookies["gatehouse"]
    assert (await browser.do(REPLACE, code=await new.code(-1)))["__typename"] == "AuthenticatorReplaced"
    assert await browser.ask(VIEWER_EMAIL) == {"viewer": {"email": email("mia")}}
    # What the cookie held while it was good for the replacement alone is worth nothing more.
    thief = world.client()
    thief.token = recovering
    assert await thief.ask(VIEWER_EMAIL) == {"viewer": None}
    other, token = await world.challenge("mia")
    assert (await other.do(COMPLETE, token=token, code={"totp": await lost.code()}))["__typename"] == "InvalidCode"


async def test_a_cookie_is_cleared_when_a_session_of_a_pass_signs_out(world: World) -> None:
    olive, _ = await world.enrolled("olive"), await world.enrolled("mia")
    recovery_pass = (await issue(olive, world))["recoveryPass"]
    browser = world.client()
    challenge = await browser.do(WITH_COOKIE, email=email("mia"), password=PASSWORD)
    await browser.do(REDEEM_PASS, token=challenge["challengeToken"], recoveryPass=recovery_pass)
    assert "gatehouse" in browser.http.cookies
    assert await browser.ask(SIGN_OUT) == {"signOut": {"ok": True}}
    assert "gatehouse" not in browser.http.cookies


async def test_an_owner_whose_session_a_product_began_gives_a_pass_with_a_second_factor_alone(world: World) -> None:
    web = await backend(world, Right.SIGN_IN)
    await world.enrolled("mia")
    olive = world.client()
    olive.token = (await web.do(SERVICE_SIGN_IN, input={"email": email("olive")}))["sessionToken"]
    assert await refused(olive, world) == "NotPermitted"
    factor = await world.enroll(await world.sign_in("olive"))
    assert await refused(olive, world) == "UNAUTHENTICATED"  # enrolling has ended it
    done = await olive.do(
        COMPLETE, token=await challenged_by_product(world, "olive", web), code={"totp": await factor.code()}
    )
    olive.token = done["sessionToken"]
    assert (await issue(olive, world))["__typename"] == "RecoveryPassIssued"
    await world.database.execute("UPDATE sessions SET second_factor_at = now() - interval '16 minutes'")
    assert await refused(olive, world) == "REAUTHENTICATION_REQUIRED"


@pytest.mark.parametrize("by", ["backend", "browser"])
async def test_a_challenge_that_a_product_opened_is_answered_by_a_pass_as_by_a_code(world: World, by: str) -> None:
    olive, _ = await world.enrolled("olive"), await world.enrolled("mia")
    recovery_pass = (await issue(olive, world))["recoveryPass"]
    web = await backend(world, Right.SIGN_IN)
    token = await challenged_by_product(world, "mia", web)
    answer = await (web if by == "backend" else world.client()).do(REDEEM_PASS, token=token, recoveryPass=recovery_pass)
    assert answer["__typename"] == "RecoverySession"
    # To the product it is no session yet: nobody is let in by it.
    assert (await web.ask(SESSION, token=answer["sessionToken"]))["session"] is None
    mia = world.client()
    mia.token = answer["sessionToken"]
    new = await begun(mia)
    assert (await mia.do(REPLACE, code=await new.code(-1)))["__typename"] == "AuthenticatorReplaced"
    session = (await web.ask(SESSION, token=answer["sessionToken"]))["session"]
    assert (session["email"], session["amr"]) == (email("mia"), ["fed", "recovery_pass", "otp", "mfa"])
    (used,) = await world.events("RECOVERY_PASS_USED")
    assert used["service_key"] == "web"
    assert (CLIENT.items() <= used["data"].items()) == (by == "backend")


@pytest.mark.parametrize("given_for", ["every account", "this account", "another account"])
async def test_a_service_key_gives_no_pass_and_is_no_session_of_one(world: World, given_for: str) -> None:
    olive, _ = await world.enrolled("olive"), await world.enrolled("mia")
    of = {"this account": world.account_id, "another account": world.other_account_id}.get(given_for)
    web = await backend(world, account_id=of)
    assert await refused(web, world) == "FORBIDDEN"
    assert await world.events("RECOVERY_PASS_ISSUED") == []
    recovery_pass = (await issue(olive, world))["recoveryPass"]
    for token in (recovery_pass, "gh_c_" + "x" * 43, ""):
        answer = await web.do(REDEEM_PASS, token=token, recoveryPass=recovery_pass)
        assert answer["__typename"] == "ChallengeExpired"
    provisioning = await backend(world, Right.PROVISION, account_id=of, name="people")
    for_nothing = {"token": "gh_c_" + "x" * 43, "recoveryPass": recovery_pass}
    assert await provisioning.refusal(REDEEM_PASS, **for_nothing) == "FORBIDDEN"
    assert await web.refusal(REPLACE, code="123456") == "FORBIDDEN"
    assert (await redeem(world, recovery_pass))[1]["__typename"] == "RecoverySession"


async def test_a_revoked_or_made_up_key_gives_no_pass(world: World) -> None:
    await world.enrolled("mia")
    web = await backend(world)
    await world.database.execute("DELETE FROM service_keys")
    assert await refused(web, world) == "UNAUTHENTICATED"
    web.token = "gh_k_" + "x" * 43
    assert await refused(web, world) == "UNAUTHENTICATED"
    assert await world.events("RECOVERY_PASS_ISSUED") == []
