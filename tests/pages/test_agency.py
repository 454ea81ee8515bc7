"""An agency's security page, as the documentation tells it."""

from __future__ import annotations

import asyncio
import csv
import re

import httpx
from playwright.async_api import Locator, Page, expect

from tests.account.acts import save
from tests.pages.conftest import Sit
from tests.pages.desk import dialog_of, set_up
from tests.people import World, crowd, email

AT = "/settings/security"


def member(page: Page, name: str) -> Locator:
    """Somebody's row."""
    return page.get_by_role("row").filter(has_text=email(name))


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


async def test_the_roster_changes_as_people_enroll(sit: Sit, world: World) -> None:
    await save(await world.sign_in("olive"), world, True)
    page = await sit("olive", AT)
    await expect(page.get_by_role("columnheader")).to_have_count(4)
    headings = await page.get_by_role("table", name="Staff MFA Status").get_by_role("columnheader").all_inner_texts()
    assert headings == ["Email", "Role", "MFA", "Actions"]
    await expect(page.get_by_text("0 of 3 staff members have MFA on.")).to_be_visible()
    await expect(member(page, "mia")).to_contain_text("Not enabled")
    await set_up(await sit("mia"), "Set it up now")
    await expect(member(page, "mia").get_by_text("Enabled", exact=True)).to_be_visible()
    await expect(page.get_by_text("1 of 3 staff members have MFA on.")).to_be_visible()


async def test_an_owner_resets_and_reminds(sit: Sit, world: World) -> None:
    await save(await world.sign_in("olive"), world, True)
    await world.enroll(await world.sign_in("mia"))
    page = await sit("olive")
    await set_up(page, "Set it up now")
    await page.get_by_role("link", name="Agency security").click()
    await member(page, "adam").get_by_role("button", name="Remind").click()
    await expect(page.get_by_role("status").filter(has_text="A reminder to")).to_be_visible()
    await member(page, "mia").get_by_role("button", name="Reset MFA").click()
    dialog = dialog_of(page)
    await expect(dialog).to_contain_text(
        "This staff member will need to re-enroll in MFA on next sign-in. They will be notified by email."
    )
    await dialog.get_by_role("button", name="Reset MFA").click()
    await expect(dialog).to_have_count(0)
    await expect(member(page, "mia")).to_contain_text("Not enabled")
    mia = await sit("mia")
    await expect(mia.get_by_role("region", name="MFA Required")).to_be_visible()
    await set_up(mia, "Set it up now")
    await expect(mia.get_by_role("button", name="Disable MFA")).to_be_visible()


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


async def test_an_admin_makes_no_owner(sit: Sit, world: World) -> None:
    page = await sit("adam", AT)
    await page.get_by_role("button", name="Invite staff").click()
    options = await dialog_of(page).get_by_role("option").all_inner_texts()
    assert options == ["Member", "Admin"]


async def test_members_and_strangers_find_no_page(sit: Sit, world: World) -> None:
    page = await sit("mia")
    await expect(page.get_by_role("link", name="Agency security")).to_have_count(0)
    answer = await page.goto(AT)
    assert answer
    assert answer.status == 404
    await expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    sam = await sit("sam", AT)
    answer = await sam.goto(f"{AT}?account={world.account_id}")
    assert answer
    assert answer.status == 404


async def test_a_super_admin_looks_and_changes_nothing(sit: Sit, world: World) -> None:
    await save(await world.sign_in("olive"), world, True)
    page = await sit("sue")
    await page.goto(f"{AT}?account={world.account_id}")
    await expect(page.get_by_role("alert").first).to_be_visible()
    await page.goto("/account/security")
    await set_up(page)
    await page.goto(f"{AT}?account={world.account_id}")
    await expect(member(page, "mia")).to_contain_text("Not enabled")
    await expect(page.get_by_text("MFA is required. Grace period: 7 days")).to_be_visible()
    assert await page.get_by_role("switch").count() == 0
    for name in ("Save", "Reset MFA", "Remind", "Invite staff"):
        await expect(page.get_by_role("button", name=name)).to_have_count(0)
    await page.goto(f"{AT}?account=nonsense")
    await expect(page.get_by_role("alert").filter(has_text="There is no such account")).to_be_visible()


async def test_the_first_500_are_shown_and_the_rest_on_request(sit: Sit, world: World) -> None:
    await crowd(world.database, world.account_id, 498)  # with Olive, Adam and Mia, 501
    page = await sit("olive", AT)
    await expect(page.get_by_text("Showing the first 500 staff members.")).to_be_visible()
    rows = page.get_by_role("table").locator("tbody tr")
    await expect(rows).to_have_count(500)
    await page.get_by_role("button", name="Load more").click()
    await expect(rows).to_have_count(501)
    await expect(page.get_by_text("Showing the first 500 staff members.")).to_be_hidden()
    await page.get_by_role("searchbox", name="Search").fill("MIA@")
    await expect(rows).to_have_count(1)
    await page.get_by_role("combobox", name="Show").select_option("ENABLED")
    await expect(page.get_by_text("Nobody fits.")).to_be_visible()


async def test_the_file_of_everyone_begins_no_formula(sit: Sit, world: World) -> None:
    await crowd(world.database, world.account_id, 600)
    evil = ["=cmd|'/c calc'!a1@x.example", "+1@x.example", "-1@x.example", "@sum(a1)@x.example", '"<b>",=1@x.example']
    users = [row["id"] for row in await world.database.fetch("SELECT id FROM users WHERE email LIKE '%crowd%' LIMIT 5")]
    for user_id, address in zip(users, evil, strict=True):
        await world.database.execute("UPDATE users SET email = $2 WHERE id = $1", user_id, address)
        await world.database.execute("UPDATE staff SET email = $2 WHERE user_id = $1", user_id, address)
    page = await sit("olive", AT)
    await expect(page.get_by_text("Showing the first 500 staff members.")).to_be_visible()
    async with page.expect_download() as begun:
        await page.get_by_role("button", name="Download CSV").click()
    text = await asyncio.to_thread((await (await begun.value).path()).read_text, encoding="utf-8-sig")
    rows = list(csv.reader(text.splitlines()))
    assert len(rows) == 604
    assert not [cell for line in rows for cell in line if re.match(r"\s*[=+\-@]", cell)]
    assert {line[0].removeprefix("'") for line in rows} >= set(evil)


async def test_whoever_is_signed_out_is_led_back(sit: Sit, world: World) -> None:
    async with httpx.AsyncClient(base_url=world.base_url) as http:
        answer = await http.get(f"{AT}?account=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/settings/security%3Faccount%3D1")
