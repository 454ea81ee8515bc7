"""An agency's security page, as the documentation tells it."""

from __future__ import annotations

from datetime import date, timedelta

from playwright.async_api import expect

from tests.account.acts import save
from tests.pages.agency import AT, member
from tests.pages.conftest import Sit
from tests.pages.desk import dialog_of
from tests.people import World, email


async def test_an_owner_requires_mfa(sit: Sit, world: World) -> None:
    page = await sit("olive", AT)
    await expect(
        page.get_by_text("Agency-wide security policy. Applies to everyone with an account role.")
    ).to_be_visible()
    switch = page.get_by_role("switch", name="Require MFA for all staff")
    await expect(switch).not_to_be_checked()
    await expect(
        page.get_by_text("Requires every staff member on this agency to complete MFA setup before continuing.")
    ).to_be_visible()
    days = page.get_by_role("spinbutton", name="Grace period (days)")
    await expect(days).to_be_hidden()
    await switch.check()
    await expect(days).to_have_value("7")
    await expect(
        page.get_by_text("Days staff have to enable MFA after this policy is set. Maximum 30.")
    ).to_be_visible()
    await expect(page.get_by_role("status").filter(has_text="Saving asks 3 staff members")).to_be_visible()
    for wrong in ("31", "-1", "1.5", ""):
        await days.fill(wrong)
        await page.get_by_role("button", name="Save").click()
        await expect(days).to_have_attribute("aria-invalid", "true")
    await days.fill("14")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status").filter(has_text="Grace period: 14 days")).to_be_visible()
    await expect(page.get_by_text("You have 14 days to set it up.")).to_be_visible()
    await page.reload()
    await expect(switch).to_be_checked()
    await expect(days).to_have_value("14")
    await switch.uncheck()
    await expect(days).to_be_hidden()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("region", name="MFA Required")).to_have_count(0)


async def test_an_owner_requires_mfa_of_some_and_gives_joiners_time(sit: Sit, world: World) -> None:
    page = await sit("olive", AT)
    await page.get_by_role("switch", name="Require MFA for all staff").check()
    await page.get_by_text("Who, and who joins later").click()
    await page.get_by_role("combobox", name="Required of").select_option("OWNERS_AND_ADMINS")
    await expect(page.get_by_role("status").filter(has_text="Saving asks 2 staff members")).to_be_visible()
    joiner = page.get_by_role("spinbutton", name="Days for whoever joins later")
    await joiner.fill("31")
    await page.get_by_role("button", name="Save").click()
    await expect(joiner).to_have_attribute("aria-invalid", "true")
    await joiner.fill("5")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("MFA is required of owners and admins.")).to_be_visible()
    await page.reload()
    await expect(joiner).to_have_value("5")


async def test_an_owner_gives_more_time_exempts_and_ends_it(sit: Sit, world: World) -> None:
    await save(await world.sign_in("olive"), world, True)
    page = await sit("olive", AT)
    await expect(member(page, "olive").get_by_role("button", name="Exception")).to_have_count(0)
    await member(page, "mia").get_by_role("button", name="Exception").click()
    dialog = page.get_by_role("dialog", name="Exception from MFA")
    await dialog.get_by_role("button", name="Save exception").click()
    await expect(dialog.get_by_role("alert").filter(has_text="Reason is missing.")).to_be_visible()
    await dialog.get_by_role("textbox", name="Reason").fill("<b>On leave</b>")
    await dialog.get_by_label("Until the end of").fill("2020-01-01")
    await dialog.get_by_role("button", name="Save exception").click()
    await expect(dialog.get_by_role("alert").filter(has_text="must end in the future")).to_be_visible()
    await dialog.get_by_label("Until the end of").fill(str(date.today() + timedelta(days=40)))
    await dialog.get_by_role("button", name="Save exception").click()
    await expect(member(page, "mia")).to_contain_text("more time until")

    await member(page, "mia").get_by_role("button", name="Exception").click()
    await expect(dialog).to_contain_text(f"by {email('olive')}: <b>On leave</b>")
    await expect(dialog.get_by_role("checkbox", name="Break-glass account")).to_be_hidden()
    await dialog.get_by_role("radio", name="Exemption").check()
    await dialog.get_by_role("checkbox", name="Break-glass account").check()
    await dialog.get_by_role("textbox", name="Reason").fill("For emergencies")
    await dialog.get_by_role("button", name="Save exception").click()
    await expect(member(page, "mia")).to_contain_text("exempt, MFA required from")
    await member(page, "mia").get_by_role("button", name="Exception").click()
    await expect(dialog).to_contain_text("Break-glass account.")
    await dialog.get_by_role("button", name="End exception").click()
    await expect(member(page, "mia")).to_contain_text("due")


async def test_an_owner_invites_and_revokes(sit: Sit, world: World) -> None:
    page = await sit("olive", AT)
    await page.get_by_role("button", name="Invite staff").click()
    dialog = dialog_of(page)
    await dialog.get_by_role("textbox", name="Email").fill("nobody")
    await dialog.get_by_role("button", name="Send invitation").click()
    await expect(dialog.get_by_role("alert").filter(has_text="An email address looks like")).to_be_visible()
    await dialog.get_by_role("textbox", name="Email").fill("nina@agency.example")
    await dialog.get_by_role("combobox", name="Role").select_option("ADMIN")
    await dialog.get_by_role("button", name="Send invitation").click()
    await expect(member(page, "nina")).to_contain_text("Invited")
    await member(page, "nina").get_by_role("button", name="Invite again").click()
    await expect(page.get_by_role("alert").filter(has_text="Wait a minute")).to_be_visible()
    await member(page, "nina").get_by_role("button", name="Revoke").click()
    await expect(member(page, "nina")).to_have_count(0)


async def test_an_owner_chooses_alerts_and_an_admin_sees_them(sit: Sit, world: World) -> None:
    page = await sit("olive", AT)
    await page.get_by_text("Who gets which").click()
    reset = page.get_by_role("group", name="The MFA of somebody was reset")
    await expect(reset.get_by_role("checkbox", name="Owners")).to_be_checked()
    await expect(reset.get_by_role("checkbox", name="Admins")).not_to_be_checked()
    await reset.get_by_role("checkbox", name="Admins").check()
    await page.get_by_role("button", name="Save alerts").click()
    await expect(page.get_by_text("Saved. All owners are told by email.")).to_be_visible()
    page = await sit("adam", AT)
    await page.get_by_text("Who gets which").click()
    shown = page.get_by_role("group", name="The MFA of somebody was reset").get_by_role("checkbox", name="Admins")
    await expect(shown).to_be_checked()
    await expect(shown).to_be_disabled()
    await expect(page.get_by_role("button", name="Save alerts")).to_have_count(0)
