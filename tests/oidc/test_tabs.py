"""What a browser keeps of the sign-ins that it has begun: each tab its own, and a few at most."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from rules.sealed import Sealed
from rules.sealing import KeyRing
from tests.client import settings_for
from tests.oidc.browser import Browser, browser_of, problem, viewer
from tests.people import World, email


def kept(browser: Browser) -> list[str]:
    """What it keeps of them."""
    cookies = dict(browser.http.cookies)
    return [value for name, value in cookies.items() if name.startswith("gatehouse-provider")]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_two_tabs_sign_in_at_once_and_neither_takes_the_others_place(
    world: World, order: tuple[int, int]
) -> None:
    browser = browser_of(world)
    wanted = ["/settings/security", "/account/security?from=mail"]
    urls = [await browser.authorize(await browser.begin(wanted=path), email("mia")) for path in wanted]
    for tab in order:
        assert (await browser.back(urls[tab])).headers["location"] == wanted[tab]
    assert await viewer(browser) == email("mia")
    assert kept(browser) == []
    assert len(await world.events("SIGN_IN_SUCCEEDED")) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace("code=", "error=access_denied&c="),
        lambda url: url.replace("state=", "state=x"),
        lambda url: f"{url}&state=x",
        lambda url: "/sign-in/with/test/callback",
    ],
    ids=["cancelled", "of another state", "two states", "empty"],
)
async def test_an_answer_that_comes_to_nothing_takes_no_other_tabs_away(world: World, change: object) -> None:
    assert callable(change)
    browser = browser_of(world)
    failing = await browser.authorize(await browser.begin(), email("mia"))
    waiting = await browser.authorize(await browser.begin(), email("mia"))
    assert problem(await browser.back(change(failing))) == "failed"
    assert (await browser.back(waiting)).headers["location"] == "/account/security"


async def test_whoever_cancels_at_the_provider_is_led_on_to_where_they_wanted_to_go(world: World) -> None:
    browser = browser_of(world)
    url = await browser.authorize(await browser.begin(wanted="/settings/security?account=1"), email("mia"))
    answer = await browser.back(url.replace("code=", "error=access_denied&c="))
    assert problem(answer) == "failed"
    assert parse_qs(urlsplit(answer.headers["location"]).query)["next"] == ["/settings/security?account=1"]
    assert kept(browser) == []
    # Whoever brings an answer that nobody here has asked for is led where everybody is.
    answer = await browser.back(url)
    assert parse_qs(urlsplit(answer.headers["location"]).query)["next"] == ["/account/security"]


async def test_however_many_are_begun_their_cookies_stay_within_what_servers_take(world: World) -> None:
    browser = browser_of(world)
    urls = [await browser.begin(wanted=f"/account/security?n={number}") for number in range(30)]
    assert sum(map(len, kept(browser))) <= 4000
    assert 4 <= len(kept(browser)) < 30
    # It is the oldest that have gone.
    for number in (-4, -1):
        answer = await browser.back(await browser.authorize(urls[number], email("mia")))
        assert answer.headers["location"] == f"/account/security?n={30 + number}"
    assert problem(await browser.back(await browser.authorize(urls[0], email("mia")))) == "failed"


async def test_what_the_version_before_has_begun_is_finished_here(world: World) -> None:
    browser = browser_of(world)
    url = await browser.authorize(await browser.begin(), email("mia"))
    cookie = browser.http.cookies["gatehouse-provider"]
    browser.http.cookies.clear()
    browser.http.cookies.set("gatehouse-provider", cookie, domain="127.0.0.1", path="/")
    assert (await browser.back(url)).headers["location"] == "/account/security"
    assert await viewer(browser) == email("mia")
    assert kept(browser) == []


async def test_what_is_begun_here_the_version_before_can_finish(world: World) -> None:
    browser = browser_of(world)
    for _ in range(2):
        await browser.begin()
    (former,) = [value for name, value in browser.http.cookies.items() if name == "gatehouse-provider"]
    newest = list(browser.http.cookies.items())
    assert [name for name, value in newest if value == former and name != "gatehouse-provider"]
    # It takes these parts alone.
    ring = KeyRing(settings_for("").keys)
    plain = ring.open(Sealed(urlsafe_b64decode(f"{former}=="), ring.newest), "oidc", UUID(int=0))
    assert set(json.loads(plain)) == {"provider", "state", "nonce", "verifier", "wanted", "begun_at"}
