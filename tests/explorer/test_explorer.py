"""The explorer as an admin meets it in a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.account.acts import save
from tests.browser import opened
from tests.client import http_client, serving, settings_for
from tests.once import made_once
from tests.people import PASSWORD, World, email, make_world
from tests.waiting import until
from web.explorer import FETCHED, RETRY_S
from web.explorer_assets import MANIFEST, AssetsUnavailable, assets_folder, fetch


@pytest_asyncio.fixture(scope="session")
async def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that has the explorer's files, fetched through npm."""
    return await made_once(tmp_path_factory, "explorer", fetch)


@pytest_asyncio.fixture
async def explored(
    database_url: str, database: asyncpg.Connection[asyncpg.Record], assets: Path
) -> AsyncIterator[World]:
    async with serving(settings_for(database_url, data_dir=assets)) as base_url:
        world = await make_world(base_url, database)
        yield world
        for client in world.clients:
            await client.aclose()


@pytest_asyncio.fixture
async def page(browser: Browser, explored: World) -> AsyncIterator[Page]:
    """A page that must ask nobody but our server, and have nothing to complain about."""
    context = await opened(browser, viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    complaints: list[str] = []
    page.on("request", lambda request: complaints.append(request.url) if _is_elsewhere(request.url, explored) else None)
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(f"{explored.base_url}/graphql")
    yield page
    await context.close()
    assert complaints == []


def _is_elsewhere(url: str, world: World) -> bool:
    return not url.startswith((world.base_url + "/", "data:", "blob:"))


async def sign_in(page: Page, name: str) -> None:
    await page.get_by_label("Email").fill(email(name))
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()


async def press(page: Page, operation: str | None = None) -> None:
    button = page.get_by_role("button", name="Execute query")
    if operation:
        # The button has its menu once GraphiQL has read the tab's text.
        await expect(button).to_have_attribute("aria-haspopup", "menu")
    await button.click()
    if operation:
        await page.get_by_role("menuitem", name=operation).click()


async def run(page: Page, operation: str | None = None) -> dict[str, Any]:
    async with page.expect_response("**/graphql") as answered:
        await press(page, operation)
    answer: dict[str, Any] = await (await answered.value).json()
    return answer


async def test_an_admin_signs_in_and_asks_who_they_are(page: Page) -> None:
    await expect(page.get_by_role("status")).to_have_text("Not signed in")
    assert (await run(page))["data"] == {"viewer": None}
    await sign_in(page, "adam")
    await expect(page.get_by_role("status")).to_have_text(f"Signed in as {email('adam')}")
    answer = await run(page)
    assert answer["data"]["viewer"]["email"] == email("adam")
    await expect(page.locator(".result-window")).to_contain_text(email("adam"))
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("status")).to_have_text("Not signed in")


async def test_a_sign_out_that_is_refused_is_told_as_such(page: Page, explored: World) -> None:
    await sign_in(page, "adam")
    await expect(page.get_by_role("status")).to_have_text(f"Signed in as {email('adam')}")
    refused = {"data": None, "errors": [{"message": "Try again in a moment.", "extensions": {"code": "RATE_LIMITED"}}]}
    await page.route("**/graphql", lambda route: route.fulfill(json=refused))
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("status")).to_have_text("Try again in a moment.")
    await page.unroute("**/graphql")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("status")).to_have_text("Not signed in")


async def test_an_admin_with_a_factor_gives_a_code_as_well(page: Page, explored: World) -> None:
    factor = await explored.enroll(await explored.sign_in("adam"))
    await sign_in(page, "adam")
    await page.get_by_label("Code from your authenticator").fill("aaaaaaaa")
    await page.get_by_role("button", name="Verify").click()
    await expect(page.get_by_role("status")).to_contain_text("code")
    await page.get_by_label("Code from your authenticator").fill(factor.backup_codes[0])
    await page.get_by_role("button", name="Verify").click()
    await expect(page.get_by_role("status")).to_have_text(f"Signed in as {email('adam')}")


async def test_a_wrong_password_is_said_to_be_wrong(page: Page) -> None:
    await page.get_by_label("Email").fill(email("adam"))
    await page.get_by_label("Password").fill("wrong")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("status")).to_have_text("The email or the password is wrong.")


async def test_an_admin_picks_one_of_the_operations_of_an_example(page: Page) -> None:
    await sign_in(page, "adam")
    await expect(page.get_by_role("status")).to_have_text(f"Signed in as {email('adam')}")
    await page.get_by_role("tab", name="BeginMfaEnrollment").click()
    answer = await run(page, "BeginMfaEnrollment")
    assert answer["data"]["beginMfaEnrollment"]["otpauthUri"].startswith("otpauth://totp/")


async def test_the_documentation_can_be_read(page: Page) -> None:
    await page.get_by_role("button", name="Show Documentation Explorer").click()
    await page.get_by_role("link", name="Mutation").click()
    await expect(page.locator(".graphiql-plugin")).to_contain_text("signIn")


async def test_an_admin_watches_what_changes_elsewhere(page: Page, explored: World) -> None:
    await sign_in(page, "adam")
    await expect(page.get_by_role("status")).to_have_text(f"Signed in as {email('adam')}")
    await page.get_by_role("tab", name="EnrollmentProgress").click()
    await press(page, "ViewerChanged")
    await expect(page.locator(".result-window")).to_contain_text('"mfaNotice": null')
    await save(await explored.sign_in("olive"), explored, True)
    await expect(page.locator(".result-window")).to_contain_text("Your agency requires MFA for all staff.")


async def test_what_is_typed_is_not_kept_in_the_browser(page: Page) -> None:
    await run(page)
    assert await page.evaluate("localStorage.length") == 0


async def test_the_first_visit_fetches_the_files(
    database_url: str, database: asyncpg.Connection[asyncpg.Record], browser: Browser, tmp_path: Path
) -> None:
    async with serving(settings_for(database_url, data_dir=tmp_path)) as base_url:
        page = await (await opened(browser)).new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        await page.goto(f"{base_url}/graphql")
        await expect(page.get_by_role("main")).to_contain_text("being fetched for the first time")
        await expect(page.get_by_label("Password")).to_be_hidden()
        await expect(page.get_by_role("button", name="Execute query")).to_be_visible()
        await page.context.close()
        assert complaints == []


async def test_on_a_phone_the_answer_stands_below_the_question(page: Page) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    await run(page)
    question = await page.locator(".graphiql-query-editor").bounding_box()
    answer = await page.locator(".result-window").bounding_box()
    assert question
    assert answer
    assert answer["y"] > question["y"] + question["height"]
    assert min(question["width"], answer["width"]) > 340
    await sign_in(page, "adam")
    await expect(page.get_by_role("status")).to_have_text(f"Signed in as {email('adam')}")


async def test_a_server_that_is_away_is_told_of(page: Page) -> None:
    await page.route("**/graphql", lambda route: route.fulfill(body="<p>Back soon.</p>"))
    await sign_in(page, "adam")
    await expect(page.get_by_role("status")).to_have_text("The server does not answer.")


async def test_the_files_are_fetched_where_no_npm_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert {file.name for file in (await fetch(tmp_path)).iterdir()} == FETCHED


async def test_files_that_are_not_what_was_pinned_are_refused(tmp_path: Path) -> None:
    manifest = tmp_path / "assets.json"
    manifest.write_text(MANIFEST.read_text().replace("sha512-/3Ij", "sha512-/4Ij"))
    with pytest.raises(AssetsUnavailable, match=r"react@18.2.0 is not what was expected"):
        await fetch(tmp_path, manifest)
    assert not assets_folder(tmp_path, manifest).exists()


async def test_files_that_cannot_be_fetched_are_told_of(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    async with serving(settings_for(database_url, data_dir=tmp_path)) as base_url:
        html = await visit(base_url, "could not be fetched")
    assert "is its registry reachable from here?" in html


async def test_in_production_there_is_no_explorer(database_url: str) -> None:
    async with serving(settings_for(database_url, production=True)) as base_url, http_client() as http:
        answer = await http.get(f"{base_url}/graphql", headers={"accept": "text/html,*/*"})
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json; charset=utf-8")
        assert (await http.get(f"{base_url}/graphql/assets/explorer.js")).status_code == 404


async def test_in_production_the_setting_opens_it_to_staff_only(
    database_url: str, database: asyncpg.Connection[asyncpg.Record], assets: Path
) -> None:
    settings = settings_for(database_url, production=True, explorer=True, data_dir=assets)
    async with serving(settings) as base_url:
        world = await make_world(base_url, database)
        for name, mode in ((None, "sign-in"), ("petra", "sign-in"), ("mia", "ready")):
            client = await world.sign_in(name) if name else world.client()
            headers = {"authorization": f"Bearer {client.token}", "accept": "text/html"}
            html = (await client.http.get("/graphql", headers=headers)).text
            assert f'data-mode="{mode}"' in html
            schema = await client.http.get("/graphql/assets/schema.json", headers=headers)
            assert schema.status_code == (200 if mode == "ready" else 404)
        for open_client in world.clients:
            await open_client.aclose()


async def visit(base_url: str, text: str) -> str:
    """Visit as a browser does, again and again while it is told to; the page that says the text."""
    page = ""
    async with http_client(base_url, headers={"accept": "text/html"}) as http:

        async def says() -> bool:
            nonlocal page
            answer = await http.get("/graphql")
            page = answer.text
            if text not in page:
                assert answer.headers["refresh"] == str(RETRY_S)
            return text in page

        await until(says, lambda: f"{text!r}; it says {page}")
    return page
