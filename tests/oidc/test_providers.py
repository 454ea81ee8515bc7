"""Signing in at an OpenID provider: a certified one, and what it would never answer."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.client import Client
from tests.oidc.browser import browser_of, identities, problem, spoiled, viewer
from tests.operations import COMPLETE
from tests.people import World, email
from tests.sign_in.strangers import flood

SPOILT = [
    "nonce",
    "no-nonce",
    "alg-none",
    "hmac",
    "issuer",
    "audience",
    "audiences",
    "expired",
    "future",
    "signature",
    "no-subject",
    "long-subject",
    "nul-subject",
    "half-subject",
    "nul-email",
    "half-email",
    "long-email",
    "mfa-as-text",
    "huge",
]


async def test_a_person_comes_in_is_linked_once_and_told(world: World) -> None:
    browser = browser_of(world)
    begun = await browser.begin(wanted="/settings/security?account=1")
    asked = parse_qs(urlsplit(begun).query)
    assert (asked["code_challenge_method"], asked["response_type"]) == (["S256"], ["code"])
    answer = await browser.back(await browser.authorize(begun, email("mia")))
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings/security?account=1")
    assert await viewer(browser) == email("mia")
    again = browser_of(world)
    # It is by the subject that they are known now, whatever their address here.
    await world.database.execute("UPDATE users SET email = 'mia@new.example' WHERE email = $1", email("mia"))
    await again.sign_in(email("mia"))
    assert await viewer(again) == "mia@new.example"
    events = [(event["type"], event["data"].get("provider")) for event in await world.events()]
    told = [("IDENTITY_LINKED", "Test"), ("SIGN_IN_SUCCEEDED", None), ("SIGN_IN_SUCCEEDED", None)]
    assert events == [*told, ("NEW_DEVICE_SIGNED_IN", None)]  # the second browser has no cookie of hers
    assert [row["amr"] for row in await world.database.fetch("SELECT amr FROM sessions")] == [["oidc"], ["oidc"]]


async def test_the_second_factor_is_asked_for_whatever_the_provider_says_of_one(world: World) -> None:
    factor = await world.enroll(await world.sign_in("mia"))
    browser = browser_of(world)
    answer = await browser.sign_in(email("mia"), spoil="mfa-said")
    token = urlsplit(answer.headers["location"]).fragment.removeprefix("challenge=")
    assert token.startswith("gh_c_")
    assert await viewer(browser) is None
    done = await Client(browser.http).do(COMPLETE, token=token, code={"totp": await factor.code()})
    assert done["__typename"] == "SignedIn"
    assert await viewer(browser) == email("mia")
    amr = await world.database.fetchval("SELECT amr FROM sessions ORDER BY created_at DESC LIMIT 1")
    assert amr == ["oidc", "otp", "mfa"]


async def test_no_wrong_answer_signs_anybody_in(world: World) -> None:
    for how in SPOILT:
        browser = browser_of(world)
        assert problem(await browser.sign_in(email("mia"), spoil=how)) == "failed", how
        assert await viewer(browser) is None
    assert await identities(world) == []
    assert await world.events() == []


async def test_of_many_that_come_with_one_answer_at_once_one_is_signed_in_at_most(world: World) -> None:
    browser = browser_of(world)
    url = await browser.authorize(await browser.begin(), email("mia"))
    cookies = dict(browser.http.cookies)
    copies = [browser_of(world) for _ in range(10)]
    for copy in copies:
        copy.http.cookies.update(cookies)
    answers = await asyncio.gather(*(copy.back(url) for copy in copies))
    signed_in = [answer for answer in answers if answer.headers["location"] == "/account/security"]
    # The provider takes a code that comes twice for stolen, and back what it has given for it.
    assert len(signed_in) == len(await world.events("SIGN_IN_SUCCEEDED")) <= 1


async def test_an_answer_is_good_once_and_in_its_own_browser(world: World) -> None:
    browser, other = browser_of(world), browser_of(world)
    url = await browser.authorize(await browser.begin(), email("mia"))
    await other.begin()
    assert problem(await other.back(url)) == "failed"
    assert problem(await browser_of(world).back(url)) == "failed"
    ((name, cookie),) = [each for each in browser.http.cookies.items() if each[0] != "gatehouse-provider"]
    assert (await browser.back(url)).headers["location"] == "/account/security"
    assert not any("provider" in name for name in browser.http.cookies)
    browser.http.cookies.clear()
    browser.http.cookies.set(name, cookie)
    # The same code with the same cookie, as somebody has it who read both on the way.
    assert problem(await browser.back(url)) == "failed"
    assert len(await world.events("SIGN_IN_SUCCEEDED")) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace("iss=http", "iss=https"),
        lambda url: url.partition("&iss=")[0],
        lambda url: url.replace("/with/test/", "/with/other/"),
        lambda url: url.replace("state=", "state=x"),
        lambda url: f"{url}&state=x",
        lambda url: url.replace("code=", "code=x"),
        lambda url: url.replace("code=", "error=access_denied&c="),
        lambda url: url.replace("code=", "code=%00"),
        lambda url: url.replace("code=", "code=" + "x" * 5000),
    ],
    ids=["issuer", "no issuer", "provider", "state", "two states", "code", "error", "nul", "long"],
)
async def test_an_answer_that_was_changed_on_the_way_is_worth_nothing(world: World, change: object) -> None:
    assert callable(change)
    browser = browser_of(world)
    url = await browser.authorize(await browser.begin(), email("mia"))
    assert problem(await browser.back(change(url))) == "failed"
    assert await viewer(browser) is None


async def test_a_provider_that_calls_itself_otherwise_is_not_asked(world: World) -> None:
    answer = await browser_of(world).http.get("/sign-in/with/other")
    assert problem(answer) == "failed"
    assert (await browser_of(world).http.get("/sign-in/with/nobody")).status_code == 404


async def test_keys_may_change_amid_it(world: World) -> None:
    browser = browser_of(world)
    await browser_of(world).sign_in(email("olive"))
    url = await browser.authorize(await browser.begin(), email("mia"))
    await spoiled(url, "rotated")
    await browser.back(url)
    assert await viewer(browser) == email("mia")
    await (after := browser_of(world)).sign_in(email("adam"))
    assert await viewer(after) == email("adam")


async def test_challenges_by_the_password_take_no_place_of_one_by_a_provider(world: World) -> None:
    await world.enroll(await world.sign_in("mia"))
    await browser_of(world).sign_in(email("mia"))
    await flood(world)
    assert await world.database.fetchval("SELECT count(*) FROM challenges WHERE amr = '{oidc}'") == 1


async def test_coming_again_over_ones_own_session_ends_it(world: World) -> None:
    browser = browser_of(world)
    await browser.sign_in(email("mia"))
    stolen = browser_of(world)
    stolen.http.cookies.update(browser.http.cookies)
    await browser.sign_in(email("mia"))
    assert (await viewer(browser), await viewer(stolen)) == (email("mia"), None)
