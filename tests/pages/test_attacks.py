"""What attackers try at the pages, and what a page costs."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from rules.branding import DARK_PAGE, LIGHT_PAGE, READABLE, contrast, readable_on
from rules.languages import LANGUAGES
from tests.account.acts import save
from tests.browser import opened
from tests.client import http_client, serving, settings_for
from tests.pages.conftest import Sit
from tests.people import World
from web.next_path import own_path

LARGEST_BYTES = 60 * 1024
ELSEWHERE = [
    "//evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "https://evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    " //evil.example",
    "///evil.example",
    "/\u2028/evil.example",
    "evil.example",
    "",
    "/" + "a" * 3_000,
]


@pytest.mark.parametrize("path", ELSEWHERE)
async def test_signing_in_leads_nowhere_else(world: World, path: str) -> None:
    olive = await world.sign_in("olive")
    headers = {"authorization": f"Bearer {olive.token}"}
    answer = await olive.http.get("/sign-in", params={"next": path}, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account/security")
    shown = await olive.http.get("/sign-in", params={"next": path})
    assert 'data-wanted="/account/security"' in shown.text


async def test_what_is_encoded_twice_stays_a_path_of_ours(world: World) -> None:
    olive = await world.sign_in("olive")
    for path in ("/%2F/evil.example", "/%5Cevil.example", "/%252Fevil.example", "/.//evil.example"):
        answer = await olive.http.get(
            "/sign-in", params={"next": path}, headers={"authorization": f"Bearer {olive.token}"}
        )
        assert answer.headers["location"].startswith("/")
        assert not answer.headers["location"].startswith(("//", "/\\"))
    assert own_path("/settings/security?account=1") == "/settings/security?account=1"


async def test_markup_in_next_is_text(world: World) -> None:
    answer = await world.client().http.get("/sign-in", params={"next": '/"><script>alert(1)</script>'})
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize("path", ["/sign-in", "/set-password", "/account/security", "/settings/security"])
async def test_no_page_can_be_framed_or_run_what_is_not_ours(world: World, path: str) -> None:
    olive = await world.sign_in("olive")
    headers = {} if path in {"/sign-in", "/set-password"} else {"authorization": f"Bearer {olive.token}"}
    answer = await olive.http.get(path, headers=headers)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    for part in (
        "default-src 'none'",
        "script-src 'self';",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ):
        assert part in policy
    assert "unsafe" not in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "<script>" not in answer.text
    assert "style=" not in answer.text


async def test_markup_in_names_is_text(sit: Sit, world: World) -> None:
    await world.database.execute("UPDATE accounts SET name = '<img src=x onerror=alert(1)>' WHERE name = 'Agency'")
    evil = "<b>x</b>@agency.example"
    await world.database.execute("UPDATE users SET email = $1 WHERE email = 'mia@agency.example'", evil)
    page = await sit("olive", "/settings/security")
    await expect(page.get_by_text(evil)).to_be_visible()
    await expect(page.get_by_text("<img src=x onerror=alert(1)>").first).to_be_visible()


async def test_a_links_token_leaves_the_address_and_no_request_has_it(sit: Sit, world: World) -> None:
    page = await sit()
    seen: list[str] = []
    page.on("request", lambda request: seen.append(f"{request.url} {request.headers}"))
    await page.goto("/set-password#token=gh_l_secret")
    await page.get_by_role("textbox", name="New password").fill("a long sentence of words")
    await expect(page).to_have_url(f"{world.base_url}/set-password")
    await page.get_by_role("button", name="Set password").click()
    await expect(page.get_by_role("heading", name="Reset your password")).to_be_visible()
    assert "gh_l_secret" not in " ".join(seen)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ["/account/security", "/settings/security"])
async def test_a_page_is_small_and_asks_once(sit: Sit, world: World, path: str, language: str) -> None:
    await save(await world.sign_in("olive"), world, True)
    page = await sit("olive")
    await expect(page.get_by_role("button", name="Set up MFA")).to_be_visible()
    await page.context.add_cookies([{"name": "gatehouse-language", "value": language, "url": world.base_url}])
    page = await page.context.new_page()
    session = await page.context.new_cdp_session(page)
    await session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/graphql") else None)
    await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    await page.goto(path, wait_until="domcontentloaded")
    await expect(page.locator("h1")).to_be_visible()
    assert await page.locator("html").get_attribute("lang") == language
    await page.wait_for_load_state("networkidle")
    assert 0 < sum(sizes) < LARGEST_BYTES
    assert len(asked) == 1


async def test_the_pages_can_be_switched_off(database_url: str) -> None:
    async with (
        serving(settings_for(database_url, pages=False)) as base_url,
        http_client(base_url) as http,
    ):
        assert (await http.get("/")).headers["location"] == "/graphql"
        for path in ("/sign-in", "/account/security", "/settings/security", "/set-password"):
            assert (await http.get(path)).status_code == 404


async def test_a_product_shows_its_logo(browser: Browser, database_url: str, tmp_path: Path) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="32"><script>alert(1)</script>'
        '<rect width="64" height="32"/></svg>'
    )
    async with serving(settings_for(database_url, product_name="Ledger & Co", logo_file=logo)) as base_url:
        page = await (await opened(browser)).new_page()
        said: list[str] = []
        page.on("dialog", lambda dialog: said.append(dialog.message))
        await page.goto(f"{base_url}/sign-in")
        shown = page.get_by_role("img", name="Ledger & Co")
        await expect(shown).to_be_visible()
        assert await shown.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }") == 64
        answer = await page.goto(f"{base_url}/assets/logo")
        assert answer
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert said == []
        await page.context.close()


async def test_a_product_shows_its_name_and_colour(database_url: str) -> None:
    settings = settings_for(database_url, product_name="Ledger & Co", accent_color="#ffcc00")
    async with serving(settings) as base_url, http_client(base_url) as http:
        html = (await http.get("/sign-in")).text
        assert "<title>Sign in · Ledger &amp; Co</title>" in html
    for page in (LIGHT_PAGE, DARK_PAGE):
        for accent in ("#ffcc00", "#000000", "#ffffff", "#7f7f7f", "#ff0000"):
            shown = readable_on(page, accent)
            assert contrast(tuple(bytes.fromhex(shown[1:])), page) >= READABLE  # type: ignore[arg-type]
