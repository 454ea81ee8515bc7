"""What the links of a reset's emails open."""

from __future__ import annotations

import asyncio

from playwright.async_api import WebSocketRoute, expect

from rules.links import Purpose
from tests.coming_in.links import link_to
from tests.pages.conftest import Sit
from tests.pages.desk import give_password, scan
from tests.people import World, email

RESET = "UPDATE users SET reenrollment_required_at = now() WHERE email = $1"


async def test_this_was_not_me_is_pressed_once_and_says_what_came_of_it(sit: Sit, world: World) -> None:
    await world.database.execute(RESET, email("mia"))
    token = await link_to(world, email("mia"), Purpose.NOT_ME)
    page = await sit()
    await page.goto(f"/not-me#token={token}")
    await expect(page.get_by_role("button", name="This was not me")).to_be_focused()
    assert "token" not in page.url
    assert await world.events("MFA_RESET_DISPUTED") == []
    await page.get_by_role("button", name="This was not me").click()
    await expect(page.get_by_role("status")).to_contain_text(email("mia"))
    await expect(page.get_by_role("link", name="Change your password")).to_be_visible()
    await page.goto(f"/not-me#token={token}")
    await page.get_by_role("button", name="This was not me").click()
    await expect(page.get_by_role("heading", name="This link does not work")).to_be_focused()


async def test_the_link_of_the_email_leads_through_signing_in_to_set_up(sit: Sit, world: World) -> None:
    await world.database.execute(RESET, email("mia"))
    await world.database.execute("UPDATE accounts SET confirm_reset_by_email = true")
    page = await sit()
    await page.goto(f"/account/security#token={await link_to(world, email('mia'), Purpose.ENROLLMENT)}")
    await give_password(page, "mia")
    factor = await scan(page)
    assert "token" not in page.url
    await page.get_by_role("textbox", name="6-digit code").fill(await factor.code(-1))
    await expect(page.get_by_role("dialog", name="Save your backup codes")).to_be_visible()


async def test_what_the_banner_says_is_to_be_done_first_outlasts_word_of_what_stands(sit: Sit, world: World) -> None:
    await world.database.execute(RESET, email("mia"))
    await world.database.execute("UPDATE accounts SET confirm_reset_by_email = true")
    page = await sit("mia")
    refused, told = asyncio.Event(), asyncio.Event()

    async def hold_what_stands(route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        async def pass_on(message: str | bytes) -> None:
            if '"next"' in str(message):
                await refused.wait()
                told.set()
            route.send(message)

        server.on_message(pass_on)

    await page.route_web_socket("**/graphql", hold_what_stands)
    await page.reload()
    await page.get_by_role("button", name="Set it up now").click()
    banner = page.get_by_role("region", name="MFA Required")
    await expect(banner).to_contain_text("Open the link in the email")
    refused.set()
    await told.wait()
    # The browser takes messages in turn: once it has answered this one, what was passed on has been shown.
    await page.evaluate("new Promise((after) => setTimeout(after))")
    await expect(banner).to_contain_text("Open the link in the email")


async def test_an_owner_has_it_confirmed_by_email_from_now_on(sit: Sit, world: World) -> None:
    page = await sit("olive", at="/settings/security")
    option = page.get_by_role("checkbox", name="Confirm by email after a reset")
    await expect(option).not_to_be_checked()
    await option.check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    await page.reload()
    await expect(option).to_be_checked()


async def test_a_sign_in_that_was_not_me_is_rejected_by_pressing_once(sit: Sit, world: World) -> None:
    token = await link_to(world, email("mia"), Purpose.NOT_MY_SIGN_IN)
    page = await sit()
    await page.goto(f"/not-my-session#token={token}")
    await expect(page.get_by_role("button", name="This was not me")).to_be_focused()
    assert "token" not in page.url
    assert await world.events("SIGN_IN_REJECTED") == []
    await page.get_by_role("button", name="This was not me").click()
    await expect(page.get_by_role("status")).to_contain_text(f"is on its way to {email('mia')}")
    await page.goto(f"/not-my-session#token={token}")
    await page.get_by_role("button", name="This was not me").click()
    await expect(page.get_by_role("heading", name="This link does not work")).to_be_focused()


async def test_whoever_rejects_a_sign_in_is_told_of_mfa_that_was_set_up_since(sit: Sit, world: World) -> None:
    token = await link_to(world, email("mia"), Purpose.NOT_MY_SIGN_IN)
    await world.let_have_mfa("mia")
    page = await sit()
    await page.goto(f"/not-my-session#token={token}")
    await page.get_by_role("button", name="This was not me").click()
    await expect(page.get_by_role("status")).to_contain_text(f"is on its way to {email('mia')}")
    await expect(page.get_by_role("status")).to_contain_text("an owner of your agency resets your MFA")


async def test_an_only_owner_who_rejects_a_sign_in_is_told_to_ask_the_operator(sit: Sit, world: World) -> None:
    token = await link_to(world, email("olive"), Purpose.NOT_MY_SIGN_IN)
    await world.let_have_mfa("olive")
    page = await sit()
    await page.goto(f"/not-my-session#token={token}")
    await page.get_by_role("button", name="This was not me").click()
    await expect(page.get_by_role("status")).to_contain_text("ask the operator of the platform")
    await expect(page.get_by_role("status")).not_to_contain_text("an owner of your agency resets your MFA")
