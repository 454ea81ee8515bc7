"""A lost phone at the pages: an owner makes a pass, and by it another app takes the old one's place."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.operations import COMPLETE
from tests.pages.conftest import Sit
from tests.pages.desk import codes_in, dialog_of, give_password, scan_in, set_up
from tests.people import Factor, World, email

AT = "/settings/security"


async def made(sit: Sit, world: World) -> tuple[str, Factor]:
    """A pass that Olive makes for Mia at the roster, and the app that Mia has lost."""
    lost = await world.enroll(await world.sign_in("mia"))
    page = await sit("olive")
    await set_up(page)
    await page.goto(AT)
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=email("mia")))
    await row.get_by_role("button", name="Recovery pass").click()
    await dialog_of(page).get_by_role("button", name="Make a pass").click()
    await expect(dialog_of(page).get_by_text("Reason is missing.")).to_be_visible()
    await dialog_of(page).get_by_role("textbox", name="Reason").fill("Phone lost on the train")
    await dialog_of(page).get_by_role("button", name="Make a pass").click()
    shown = page.get_by_role("dialog", name="Hand this pass over")
    await expect(shown).to_contain_text(re.compile(rf"For {email('mia')}, once, until .*\d\d:\d\d"))
    recovery_pass = await shown.locator("code").inner_text()
    await shown.get_by_role("checkbox").check()
    await shown.get_by_role("button", name="Done").click()
    await expect(page.locator("code", has_text=recovery_pass)).to_have_count(0)
    return recovery_pass, lost


async def redeemed(sit: Sit, recovery_pass: str, at: str = "/sign-in") -> Page:
    """Mia's page once she has signed in by her password and the pass."""
    page = await sit()
    await page.goto(at)
    await give_password(page, "mia")
    await page.get_by_role("button", name="Use a recovery pass").click()
    await expect(page.get_by_role("textbox", name="Recovery pass")).to_be_focused()
    await page.get_by_role("textbox", name="Recovery pass").fill(recovery_pass)
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_role("heading", name="Set up your new app")).to_be_visible()
    return page


async def test_from_the_owners_button_to_the_new_app_that_works_and_the_old_one_that_does_not(
    sit: Sit, world: World
) -> None:
    recovery_pass, lost = await made(sit, world)
    page = await redeemed(sit, recovery_pass, at="/sign-in?next=/account/security%3Ffrom=there")
    # No other page has anything for this session.
    for path in ("/", "/account/security", AT, "/sign-in"):
        await page.goto(path)
        await expect(page.get_by_role("heading", name="Set up your new app")).to_be_visible()
    await page.goto("/new-app?next=/account/security%3Ffrom=there")
    new = await scan_in(page.get_by_role("main"))
    code = page.get_by_role("textbox", name="6-digit code")
    await code.fill("000000")
    await expect(page.get_by_text("That code is not right.")).to_be_visible()
    await code.fill(await new.code(-1))
    dialog = page.get_by_role("dialog", name="Save your backup codes")
    new.backup_codes = await codes_in(dialog)
    await dialog.get_by_role("checkbox", name="I have saved these codes").check()
    await dialog.get_by_role("button", name="Done").click()
    await page.wait_for_url("**/account/security?from=there")
    await expect(page.get_by_text("10 backup codes left.")).to_be_visible()

    client, token = await world.challenge("mia")
    for dead in ({"totp": await lost.code()}, {"backupCode": lost.backup_codes[0]}):
        assert (await client.do(COMPLETE, token=token, code=dead))["__typename"] == "InvalidCode"
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await give_password(page, "mia")
    await page.get_by_role("textbox", name="6-digit code").fill(await new.code())
    await expect(page.get_by_text("10 backup codes left.")).to_be_visible()


async def test_whoever_signs_out_instead_keeps_the_old_app(sit: Sit, world: World) -> None:
    recovery_pass, lost = await made(sit, world)
    page = await redeemed(sit, recovery_pass)
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await give_password(page, "mia")
    await page.get_by_role("button", name="Use a recovery pass").click()
    await page.get_by_role("textbox", name="Recovery pass").fill(recovery_pass)
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_text("This recovery pass has been used already")).to_be_visible()
    await page.get_by_role("button", name="Use your authenticator app").click()
    await page.get_by_role("textbox", name="6-digit code").fill(await lost.code())
    await expect(page.get_by_text("10 backup codes left.")).to_be_visible()


@pytest.mark.parametrize("given", ["", "gh_r_nonsense"])
async def test_what_is_no_pass_is_told_beside_its_field(sit: Sit, world: World, given: str) -> None:
    await world.enroll(await world.sign_in("mia"))
    page = await sit()
    await page.goto("/sign-in")
    await give_password(page, "mia")
    await page.get_by_role("button", name="Use a backup code").click()
    await page.get_by_role("button", name="Use a recovery pass").click()
    field = page.get_by_role("textbox", name="Recovery pass")
    await field.fill(given)
    await page.get_by_role("button", name="Continue").click()
    said = "This recovery pass has been used already" if given else "Recovery pass is missing."
    await expect(page.get_by_text(said)).to_be_visible()
    await expect(field).to_be_focused()


async def test_a_session_that_the_old_app_has_ended_is_told_so(sit: Sit, world: World) -> None:
    recovery_pass, lost = await made(sit, world)
    page = await redeemed(sit, recovery_pass)
    client, token = await world.challenge("mia")
    assert (await client.do(COMPLETE, token=token, code={"totp": await lost.code()}))["__typename"] == "SignedIn"
    await page.get_by_role("textbox", name="6-digit code").fill("123456")
    await expect(page.get_by_role("heading", name="Your session has ended")).to_be_focused()
    await page.get_by_role("link", name="Sign in").click()
    await expect(page.get_by_role("textbox", name="Password")).to_be_visible()


async def test_a_pass_that_would_go_round_a_second_approver_is_not_offered(sit: Sit, world: World) -> None:
    await world.enroll(await world.sign_in("mia"))
    page = await sit("olive")
    await set_up(page)
    await page.goto(AT)
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=email("mia")))
    await row.get_by_role("button", name="Recovery pass").click()
    await world.database.execute("UPDATE accounts SET reset_approval = 'EVERYONE'")
    await dialog_of(page).get_by_role("textbox", name="Reason").fill("Phone lost")
    await dialog_of(page).get_by_role("button", name="Make a pass").click()
    await expect(dialog_of(page).get_by_role("alert").filter(has_text="Ask for a reset.")).to_be_visible()
    await page.reload()
    await expect(row.get_by_role("button", name="Reset MFA")).to_be_visible()
    await expect(row.get_by_role("button", name="Recovery pass")).to_have_count(0)
    assert await world.events("RECOVERY_PASS_ISSUED") == []


@pytest.mark.parametrize("name", [None, "mia"])
async def test_the_page_of_the_new_app_is_for_nobody_else(sit: Sit, world: World, name: str | None) -> None:
    page = await sit(name) if name else await sit()
    await page.goto("/new-app?next=//evil.example")
    await page.wait_for_url("**/account/security" if name else "**/sign-in?next=/account/security")
