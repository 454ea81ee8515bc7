"""A person's own security page, as the documentation tells it."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from resolvers.operators.staff import change_role
from rules.people import Role
from tests.client import SERVED
from tests.pages.conftest import Sit
from tests.pages.desk import codes_in, dialog_of, give_password, scan, set_up
from tests.people import World, email


async def test_a_person_sets_mfa_up_and_saves_the_backup_codes(sit: Sit, world: World) -> None:
    page = await sit("mia")
    await expect(page.get_by_role("heading", name="Security", exact=True)).to_be_visible()
    await expect(page.get_by_text("Multi-factor authentication and recovery codes for your sign-in.")).to_be_visible()
    await expect(page.get_by_role("heading", name="Multi-factor authentication")).to_be_visible()
    await page.get_by_role("button", name="Set up MFA").click()
    dialog = dialog_of(page)
    await expect(dialog).to_contain_text(
        "Scan the QR code with your authenticator app, then enter the 6-digit code it generates."
    )
    factor = await scan(page)
    alternative = await dialog.get_by_role("img").get_attribute("alt")
    assert alternative
    assert factor.secret in alternative.replace(" ", "")
    await dialog.get_by_role("textbox", name="6-digit code").fill(await factor.code(-1))
    dialog = page.get_by_role("dialog", name="Save your backup codes")
    await expect(dialog).to_contain_text(
        "Store these somewhere safe. Each code can be used once when you do not have access to your authenticator app."
    )
    codes = await codes_in(dialog)
    assert all(re.fullmatch("[a-z0-9]{8}", code) for code in codes)
    done = dialog.get_by_role("button", name="Done")
    await expect(done).to_be_disabled()
    for _ in range(3):
        await page.keyboard.press("Escape")
    await page.mouse.click(5, 5)
    await expect(dialog).to_be_visible()
    await dialog.get_by_role("checkbox", name="I have saved these codes").check()
    await done.click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_role("button", name="Regenerate backup codes")).to_be_visible()
    await expect(page.get_by_role("button", name="Disable MFA")).to_be_visible()
    await expect(page.get_by_text("10 backup codes left.")).to_be_visible()


async def test_a_person_signs_in_with_the_app_or_a_backup_code(sit: Sit, world: World) -> None:
    factor = await set_up(await sit("mia"))
    page = await sit()
    await page.goto("/sign-in")
    await give_password(page, "mia")
    field = page.get_by_role("textbox", name="6-digit code")
    await field.fill("000 000")
    await expect(page.get_by_role("alert").filter(has_text="That code is not right.")).to_be_visible()
    await expect(field).to_be_focused()
    await expect(field).to_have_value("")
    code = await factor.code()
    await field.fill(f"{code[:3]}-{code[3:]} ")
    await expect(page.get_by_text("10 backup codes left.")).to_be_visible()

    page = await sit()
    await page.goto("/sign-in")
    await give_password(page, "mia")
    await page.get_by_role("button", name="Use a backup code").click()
    await expect(page.get_by_role("button", name="Use your authenticator app")).to_be_visible()
    await page.get_by_role("textbox", name="Backup code").fill(factor.backup_codes[0].upper())
    await expect(page.get_by_text("9 backup codes left.")).to_be_visible()


async def test_a_full_code_is_sent_once(sit: Sit, world: World) -> None:
    await set_up(await sit("mia"))
    page = await sit()
    await page.goto("/sign-in")
    await give_password(page, "mia")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or "") if request.method == "POST" else None)
    field = page.get_by_role("textbox", name="6-digit code")
    await field.press_sequentially("00000")
    await field.press("Enter")
    await expect(page.get_by_role("alert").filter(has_text="A code has 6 digits.")).to_be_visible()
    await field.press("0")
    await field.press("Enter")
    await page.get_by_role("button", name="Verify").click()
    await expect(page.get_by_role("alert").filter(has_text="That code is not right.")).to_be_visible()
    assert len(sent) == 1


async def test_a_person_replaces_the_backup_codes(sit: Sit, world: World) -> None:
    page = await sit("mia")
    factor = await set_up(page)
    await page.get_by_role("button", name="Regenerate backup codes").click()
    dialog = dialog_of(page)
    await expect(dialog).to_contain_text("Your existing backup codes will stop working immediately.")
    await dialog.get_by_role("textbox", name="6-digit code").fill("000000")
    await expect(dialog.get_by_role("alert").filter(has_text="That code is not right.")).to_be_visible()
    await dialog.get_by_role("textbox", name="6-digit code").fill(await factor.code())
    saved = page.get_by_role("dialog", name="Save your backup codes")
    codes = await codes_in(saved)
    assert len(set(codes) - set(factor.backup_codes)) == 10


@pytest.mark.parametrize("old", ["app", "backup code"])
async def test_a_person_moves_to_a_new_app(sit: Sit, world: World, old: str) -> None:
    page = await sit("mia")
    factor = await set_up(page)
    await page.get_by_role("button", name="Replace authenticator").click()
    dialog = dialog_of(page)
    if old == "app":
        await dialog.get_by_role("textbox", name="6-digit code").fill("000000")
        await expect(dialog.get_by_role("alert").filter(has_text="That code is not right.")).to_be_visible()
        await dialog.get_by_role("textbox", name="6-digit code").fill(await factor.code())
    else:
        await dialog.get_by_role("button", name="Use a backup code").click()
        await dialog.get_by_role("textbox", name="Backup code").fill(factor.backup_codes[0])
    dialog = page.get_by_role("dialog", name="Set up your new app")
    await expect(dialog.locator("code")).not_to_have_text("")
    replaced = await scan(page)
    assert replaced.secret != factor.secret
    await dialog.get_by_role("textbox", name="6-digit code").fill(await replaced.code())
    saved = page.get_by_role("dialog", name="Save your backup codes")
    assert not set(await codes_in(saved)) & set(factor.backup_codes)
    await saved.get_by_role("checkbox", name="I have saved these codes").check()
    await saved.get_by_role("button", name="Done").click()
    await expect(page.get_by_text("10 backup codes left.")).to_be_visible()
    # Twice the session has gone on under another token, and the page has with it.
    database = SERVED[world.base_url].state.service.database
    await change_role(database, world.account_id, email("mia"), Role.ADMIN)
    await expect(page.get_by_role("link", name="Agency security")).to_be_visible()
    await expect(page.get_by_role("alert").filter(has_text="Your session has ended")).to_have_count(0)


async def test_a_person_turns_mfa_off(sit: Sit, world: World) -> None:
    page = await sit("mia")
    factor = await set_up(page)
    await page.get_by_role("button", name="Disable MFA").click()
    dialog = dialog_of(page)
    await expect(dialog).to_contain_text("Your agency policy may still require it")
    await dialog.get_by_role("textbox", name="6-digit code").fill(await factor.code())
    await expect(page.get_by_role("button", name="Set up MFA")).to_be_visible()


async def test_copied_downloaded_and_printed_codes_say_whose_they_are(sit: Sit, world: World) -> None:
    page = await sit("mia", permissions=["clipboard-read", "clipboard-write"])
    await page.evaluate("""() => { window.print = () => {
        window.isPrinting = true;
    } }""")
    await page.get_by_role("button", name="Set up MFA").click()
    factor = await scan(page)
    await page.get_by_role("textbox", name="6-digit code").fill(await factor.code())
    dialog = page.get_by_role("dialog", name="Save your backup codes")
    codes = await codes_in(dialog)
    heading = re.compile(rf"TaskJuice backup codes for {email('mia')}, \d+ \w+ \d{{4}}")

    await dialog.get_by_role("button", name="Copy").click()
    await expect(dialog.get_by_role("status")).to_have_text("Codes copied.")
    copied = (await page.evaluate("navigator.clipboard.readText()")).split("\n")
    async with page.expect_download() as begun:
        await dialog.get_by_role("button", name="Download").click()
    downloaded = (await (await begun.value).path()).read_text().split("\n")
    await dialog.get_by_role("button", name="Print").click()
    # A phone calls back before it has printed, and says when it has.
    assert await page.evaluate("window.isPrinting") is True
    printed = await page.locator(".sheet > *").all_text_contents()
    await page.evaluate("dispatchEvent(new Event('afterprint'))")
    await expect(page.locator(".sheet")).to_have_count(0)
    for lines in (copied, downloaded, printed):
        assert heading.fullmatch(lines[0])
        assert [line for line in lines[1:] if line] == codes
