"""To come back by a provider is a proof as old as the one shown there, as far as it tells."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from rules.links import Purpose
from rules.service_keys import Right
from tests.client import Client
from tests.coming_in.links import link_to
from tests.coming_in.operations import SET
from tests.oidc.browser import Browser, browser_of, problem, viewer
from tests.operations import BEGIN, COMPLETE, SIGN_IN
from tests.people import World, email
from tests.service.operations import SESSION, backend

STEP_UP = "REAUTHENTICATION_REQUIRED"
FRESH = {"fresh": ""}
STALE = ["long-ago", "in-milliseconds", "before-all-time"]


async def outcome(browser: Browser) -> str:
    """What comes of a change that asks for a fresh proof."""
    answer = await Client(browser.http).raw(BEGIN)
    if answer.get("errors"):
        return str(answer["errors"][0]["extensions"]["code"])
    return str(answer["data"]["beginMfaEnrollment"]["__typename"])


@pytest.mark.parametrize("how", STALE)
async def test_a_session_of_a_provider_that_tells_of_no_proof_changes_nothing_that_asks_for_one(
    world: World, how: str
) -> None:
    browser = browser_of(world)
    answer = await browser.sign_in(email("mia"), spoil=how)
    assert answer.headers["location"] == "/account/security"
    assert await viewer(browser) == email("mia")
    assert await outcome(browser) == STEP_UP


@pytest.mark.parametrize("how", ["", "a-while-ago", "ahead-of-us", "no-auth-time"])
async def test_whoever_has_just_shown_it_there_has_shown_it_here_and_for_no_longer(world: World, how: str) -> None:
    browser = browser_of(world)
    await browser.sign_in(email("mia"), spoil=how)
    assert await outcome(browser) == "MfaEnrollment"
    age = "SELECT extract(epoch FROM now() - password_at)::float FROM sessions"
    assert (600 if how == "a-while-ago" else 0) <= await world.database.fetchval(age)
    await world.database.execute("UPDATE sessions SET password_at = password_at - interval '6 minutes'")
    assert await outcome(browser) == (STEP_UP if how == "a-while-ago" else "MfaEnrollment")


async def test_so_long_ago_it_is_with_a_second_factor_shown_here_too(world: World) -> None:
    factor = await world.enroll(await world.sign_in("mia"))
    browser = browser_of(world)
    answer = await browser.sign_in(email("mia"), spoil="long-ago")
    token = parse_qs(urlsplit(answer.headers["location"]).fragment)["challenge"][0]
    await Client(browser.http).do(COMPLETE, token=token, code={"totp": await factor.code()})
    product = await backend(world, Right.SIGN_IN)
    session = (await product.ask(SESSION, token=browser.http.cookies["gatehouse"]))["session"]
    assert session["amr"] == ["oidc", "otp", "mfa"]
    shown = datetime.fromisoformat(session["authTime"])
    assert shown < datetime.fromisoformat(session["expiresAt"]) - timedelta(days=30, minutes=50)
    # A change asks for the factor, which has just been shown.
    assert await outcome(browser) == "MfaAlreadyEnabled"


async def test_it_is_asked_to_tell_and_asks_anew_only_for_a_fresh_proof(world: World) -> None:
    browser = browser_of(world)
    asked = parse_qs(urlsplit(await browser.begin()).query)
    assert asked["claims"] == ['{"id_token":{"auth_time":{"essential":true}}}']
    assert not asked.keys() & {"prompt", "max_age"}
    asked = parse_qs(urlsplit(await browser.begin(how=FRESH)).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])


async def test_whoever_has_no_password_shows_anew_at_the_provider_who_they_are(world: World) -> None:
    await world.database.execute("UPDATE users SET password_hash = NULL WHERE email = $1", email("mia"))
    browser = browser_of(world)
    await browser.sign_in(email("mia"), spoil="long-ago")
    assert await outcome(browser) == STEP_UP
    answer = await browser.sign_in(email("mia"), how=FRESH)
    assert answer.headers["location"] == "/account/security"
    assert await outcome(browser) == "MfaEnrollment"


@pytest.mark.parametrize("how", STALE)
async def test_a_provider_that_does_not_ask_anew_is_told_of_and_a_password_by_email_does_it(
    world: World, how: str
) -> None:
    await world.database.execute("UPDATE users SET password_hash = NULL WHERE email = $1", email("mia"))
    browser = browser_of(world)
    await browser.sign_in(email("mia"), spoil="long-ago")
    answer = await browser.sign_in(email("mia"), spoil=how, how=FRESH)
    assert problem(answer) == "unproved"
    assert await viewer(browser) == email("mia")
    assert await world.database.fetchval("SELECT count(*) FROM sessions") == 1
    # Signed in as they are, they are told so, and not led back to where they are asked again.
    page = await browser.back(answer.headers["location"])
    assert "Test does not tell that you have just signed in there." in page.text
    token = await link_to(world, email("mia"), Purpose.PASSWORD_RESET)
    assert (await Client(browser.http).do(SET, token=token, password="nine quiet harbours"))[
        "__typename"
    ] == "PasswordSet"
    mia = world.client()
    mia.token = (await mia.do(SIGN_IN, email=email("mia"), password="nine quiet harbours"))["sessionToken"]
    assert (await mia.do(BEGIN))["__typename"] == "MfaEnrollment"
