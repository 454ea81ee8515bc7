"""What is long, what is not there and what is too much: told as people are told elsewhere, and nobody's dead end."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote

import pytest

from rules.oidc import ProviderConfig
from server.transport.admission import ROOM
from tests.client import CAPACITY, http_client, serving, settings_for
from tests.oidc.browser import browser_of, viewer
from tests.people import World, email
from tests.waiting import soon

GERMAN = {"accept-language": "de"}
KNOWN = (ProviderConfig("test", "http://127.0.0.1:9", "x", "y"),)


@pytest.mark.parametrize(
    ("wanted", "is_kept"),
    [
        ("/" + "ü" * 700, True),
        ("/" + "語" * 700, True),
        ("/" + "x" * 1999, True),
        ("/" + "語" * 1999, False),
        ("/" + '"' * 1999, False),
    ],
    ids=["umlauts", "signs", "letters", "too many signs", "too many quotes"],
)
async def test_a_long_way_on_never_makes_a_cookie_that_a_browser_drops(
    world: World, wanted: str, is_kept: bool
) -> None:
    browser = browser_of(world)
    answer = await browser.http.get("/sign-in/with/test", params={"next": wanted})
    cookies = answer.headers.get_list("set-cookie")
    # Under its former name, too, where there is room for both.
    assert len(cookies) == (1 if is_kept else 2)
    assert max(map(len, cookies)) <= 4096
    answer = await browser.back(await browser.authorize(answer.headers["location"], email("mia")))
    assert await viewer(browser) == email("mia")
    assert unquote(answer.headers["location"]) == (wanted if is_kept else "/account/security")


@pytest.mark.parametrize("path", ["/sign-in/with/nobody", "/sign-in/with/nobody/callback?state=x&code=y"])
async def test_a_provider_that_there_is_none_of_is_a_page_that_is_not_there(world: World, path: str) -> None:
    answer = await world.client().http.get(path, headers=GERMAN)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "Seite nicht gefunden" in answer.text


@pytest.mark.parametrize("has_pages", [True, False])
async def test_too_much_at_once_is_told_in_the_persons_language_with_a_way_to_try_again(
    database_url: str, has_pages: bool
) -> None:
    full = replace(CAPACITY, room=replace(ROOM, of_one=0))
    settings = settings_for(database_url, oidc=KNOWN, pages=has_pages)
    async with serving(settings, full) as base_url, http_client(base_url) as http:
        for path in ("/sign-in/with/test?next=/settings/security", "/sign-in/with/test/callback?state=x&code=y"):
            answer = await soon(http.get(path, headers=GERMAN))
            assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
            assert "Gerade läuft zu viel von Ihnen." in answer.text
            assert answer.headers["content-type"].startswith("text/html" if has_pages else "text/plain")
            assert ('href="">Erneut versuchen</a>' in answer.text) == has_pages
        nowhere = await http.get("/sign-in/with/nobody", headers=GERMAN)
        assert nowhere.status_code == 404
        assert nowhere.headers["content-type"].startswith("text/html" if has_pages else "text/plain")
