"""A recovery pass beside an OpenID provider: who comes by one gives and uses passes as after a password."""

from __future__ import annotations

from urllib.parse import urlsplit

from tests.client import Client
from tests.enrollment.passes import begun, issue, refused
from tests.oidc.browser import Browser, browser_of
from tests.operations import COMPLETE, REDEEM_PASS, REPLACE, VIEWER_EMAIL
from tests.people import World, email


async def challenged(browser: Browser, name: str) -> str:
    """Sign in at the provider as somebody who has a factor here; the challenge's token."""
    answer = await browser.sign_in(email(name))
    token = urlsplit(answer.headers["location"]).fragment.removeprefix("challenge=")
    assert token.startswith("gh_c_")
    return token


async def test_an_owner_who_comes_by_a_provider_gives_one_with_a_second_factor_of_ours_alone(world: World) -> None:
    await world.enrolled("mia")
    browser = browser_of(world)
    await browser.sign_in(email("olive"), spoil="mfa-said")
    olive = Client(browser.http)
    assert await olive.ask(VIEWER_EMAIL) == {"viewer": {"email": email("olive")}}
    assert await refused(olive, world) == "NotPermitted"  # the provider's word for a factor is none of ours
    factor = await world.enroll(await world.sign_in("olive"))
    token = await challenged(browser, "olive")
    assert (await olive.do(COMPLETE, token=token, code={"totp": await factor.code()}))["__typename"] == "SignedIn"
    assert (await issue(olive, world))["__typename"] == "RecoveryPassIssued"
    # A backup code shows a second factor, too; once it is stale, it is asked for anew.
    await world.database.execute("UPDATE sessions SET second_factor_at = now() - interval '16 minutes'")
    assert await refused(olive, world) == "REAUTHENTICATION_REQUIRED"


async def test_whoever_comes_by_a_provider_uses_one_in_the_browser_and_nowhere_else(world: World) -> None:
    olive, lost = await world.enrolled("olive"), await world.enroll(await world.sign_in("mia"))
    recovery_pass = (await issue(olive, world))["recoveryPass"]
    browser = browser_of(world)
    token = await challenged(browser, "mia")
    mia = Client(browser.http)
    answer = await mia.do(REDEEM_PASS, token=token, recoveryPass=recovery_pass)
    assert (answer["__typename"], answer["sessionToken"]) == ("RecoverySession", None)
    assert await mia.ask(VIEWER_EMAIL) == {"viewer": None}
    new = await begun(mia)
    assert (await mia.do(REPLACE, code=await new.code(-1)))["__typename"] == "AuthenticatorReplaced"
    assert await mia.ask(VIEWER_EMAIL) == {"viewer": {"email": email("mia")}}
    amr = await world.database.fetchval("SELECT amr FROM sessions WHERE user_id = $1", await world.user_id("mia"))
    assert amr == ["oidc", "recovery_pass", "otp", "mfa"]
    token = await challenged(browser_of(world), "mia")
    assert (await mia.do(COMPLETE, token=token, code={"totp": await lost.code()}))["__typename"] == "InvalidCode"
