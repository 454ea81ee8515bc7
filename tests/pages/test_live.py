"""What comes over the socket of an open page besides what has changed: refusals."""

from __future__ import annotations

import asyncio
import json

from playwright.async_api import Page, WebSocketRoute, expect

from tests.account.acts import save
from tests.pages.agency import AT, member
from tests.pages.conftest import Sit
from tests.people import PASSWORD, World
from tests.waiting import until


async def listening(page: Page) -> list[WebSocketRoute]:
    """The sockets of a page that the server has answered; it is loaded anew and marked: another load ends the mark.

    A browser complains of one that is closed before.
    """
    sockets: list[WebSocketRoute] = []

    def take(socket: WebSocketRoute) -> None:
        def pass_on(message: str | bytes) -> None:
            socket.send(message)
            if socket not in sockets:
                sockets.append(socket)

        socket.connect_to_server().on_message(pass_on)

    await page.route_web_socket("**/graphql", take)
    await page.reload()
    await page.evaluate("window.isMarked = true")
    await until(lambda: len(sockets) == 1, "a socket")
    return sockets


def refuse(socket: WebSocketRoute, code: str) -> None:
    """Let the server refuse the page's first subscription."""
    error = {"message": "No.", "extensions": {"code": code}}
    socket.send(json.dumps({"type": "error", "id": "0", "payload": [error]}))


async def refused_for_a_while(page: Page) -> None:
    """Let a page be told that it is too much for now; it comes back by another socket."""
    await expect(page.get_by_role("heading", name="Security", exact=True)).to_be_visible()
    sockets = await listening(page)
    refuse(sockets[0], "RATE_LIMITED")
    await until(lambda: len(sockets) == 2, "another socket")


async def test_an_agencys_page_that_is_too_much_for_now_watches_on_later(sit: Sit, world: World) -> None:
    page = await sit("olive", AT)
    await refused_for_a_while(page)
    await world.enroll(await world.sign_in("mia"))
    await expect(member(page, "mia")).to_contain_text("Enabled")
    assert await page.evaluate("window.isMarked") is True


async def test_who_enrolls_between_the_load_of_an_agencys_page_and_its_watch_is_shown(sit: Sit, world: World) -> None:
    mia = await world.sign_in("mia")
    page = await sit("olive", AT)
    may_open = asyncio.Event()

    async def open_late(socket: WebSocketRoute) -> None:
        await may_open.wait()
        socket.connect_to_server()

    await page.route_web_socket("**/graphql", open_late)
    await page.reload()
    await expect(member(page, "mia")).to_contain_text("Not enabled")
    await world.enroll(mia)
    may_open.set()
    await expect(member(page, "mia").get_by_text("Enabled", exact=True)).to_be_visible()


async def test_ones_own_page_that_is_too_much_for_now_watches_on_later(sit: Sit, world: World) -> None:
    page = await sit("mia")
    await refused_for_a_while(page)
    await save(await world.sign_in("olive"), world, True, 1)
    await expect(page.get_by_text("You have 1 day to set it up.")).to_be_visible()
    assert await page.evaluate("window.isMarked") is True


async def test_an_agencys_page_goes_on_after_its_owner_has_shown_again_who_they_are(sit: Sit, world: World) -> None:
    page = await sit("olive", AT)
    await expect(page.get_by_role("switch")).to_be_visible()
    sockets = await listening(page)
    await world.database.execute("UPDATE sessions SET password_at = now() - interval '3 hours'")
    await page.get_by_role("switch", name="Require MFA for all staff").check()
    await page.get_by_role("button", name="Save").click()
    dialog = page.get_by_role("dialog", name="Confirm that it is you")
    await dialog.get_by_role("textbox", name="Password").fill(PASSWORD)
    await dialog.get_by_role("button", name="Confirm").click()
    await expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    await until(lambda: len(sockets) == 2, "a socket by the new cookie")
    await world.enroll(await world.sign_in("mia"))
    await expect(member(page, "mia")).to_contain_text("Enabled")
    await expect(page.get_by_role("alert").filter(has_text="Your session has ended")).to_have_count(0)
    assert await page.evaluate("window.isMarked") is True


async def test_a_refusal_takes_away_nothing_that_is_shown_once(sit: Sit, world: World) -> None:
    page = await sit("olive", AT)
    await expect(page.get_by_role("switch")).to_be_visible()
    sockets = await listening(page)
    await page.get_by_role("button", name="Add webhook").click()
    dialog = page.get_by_role("dialog", name="Add webhook")
    await dialog.get_by_role("textbox", name="URL").fill("https://hooks.example.com/")
    await dialog.get_by_role("button", name="Add webhook").click()
    saved = page.get_by_role("dialog", name="Save the signing secret")
    await expect(saved.get_by_text("whsec_")).to_be_visible()
    refuse(sockets[0], "NOT_FOUND")
    await saved.get_by_role("checkbox", name="I have saved this secret").check()
    assert await page.evaluate("window.isMarked") is True
    await saved.get_by_role("button", name="Done").click()
    await until(lambda: page.evaluate("window.isMarked === undefined"), "a page that is loaded anew")
    await expect(member(page, "olive")).to_be_visible()
