"""The people on an agency's page."""

from __future__ import annotations

import asyncio
import csv
import re

from playwright.async_api import expect

from resolvers.operators.staff import remove_staff
from tests.account.acts import save
from tests.client import SERVED
from tests.coming_in.operations import INVITE
from tests.pages.agency import AT, member
from tests.pages.conftest import Sit
from tests.pages.desk import dialog_of, set_up
from tests.people import World, crowd, email


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
    await dialog.get_by_role("textbox", name="Reason").fill("Phone lost")
    await dialog.get_by_role("button", name="Reset MFA").click()
    await expect(dialog).to_have_count(0)
    await expect(member(page, "mia")).to_contain_text("Not enabled")
    mia = await sit("mia")
    await expect(mia.get_by_role("region", name="MFA Required")).to_be_visible()
    await set_up(mia, "Set it up now")
    await expect(mia.get_by_role("button", name="Disable MFA")).to_be_visible()


async def test_who_leaves_drops_off_and_who_comes_is_put_in_place(sit: Sit, world: World) -> None:
    page = await sit("olive", AT)
    await expect(page.get_by_text("0 of 3 staff members")).to_be_visible()
    await remove_staff(SERVED[world.base_url].state.service.database, world.account_id, email("mia"))
    await expect(member(page, "mia")).to_have_count(0)
    await expect(page.get_by_text("0 of 2 staff members")).to_be_visible()
    olive = await world.sign_in("olive")
    await olive.do(INVITE, account=str(world.account_id), email="bea@agency.example", role="MEMBER")
    rows = page.get_by_role("rowheader")
    await expect(rows).to_have_text([email("adam"), "bea@agency.example", email("olive")])


async def test_a_row_stays_until_it_changes_and_then_the_focus_stays_on_what_may_be_done(
    sit: Sit, world: World
) -> None:
    page = await sit("olive", AT)
    await member(page, "mia").evaluate("(row) => { row.dataset.seen = ''; }")
    await remove_staff(SERVED[world.base_url].state.service.database, world.account_id, email("adam"))
    await expect(member(page, "adam")).to_have_count(0)
    await expect(page.locator("[data-seen]")).to_have_count(1)
    sessions = member(page, "mia").get_by_role("button", name="Sessions")
    await sessions.focus()
    await world.enroll(await world.sign_in("mia"))
    await expect(member(page, "mia").get_by_text("Enabled", exact=True)).to_be_visible()
    await expect(page.locator("[data-seen]")).to_have_count(0)
    await expect(sessions).to_be_focused()


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


async def test_an_owner_ends_a_session_of_a_staff_member(sit: Sit, world: World) -> None:
    await world.sign_in("mia")
    page = await sit("olive", AT)
    await member(page, "mia").get_by_role("button", name="Sessions").click()
    dialog = page.get_by_role("dialog", name="Sessions")
    await expect(dialog.get_by_role("listitem")).to_have_count(1)
    await dialog.get_by_role("button", name="End session").click()
    await expect(dialog.get_by_text("Signed in nowhere.")).to_be_visible()
    assert len(await world.events("STAFF_SESSION_ENDED")) == 1
    await dialog.get_by_role("button", name="Close").click()
    await expect(member(page, "olive").get_by_role("button", name="Sessions")).to_have_count(0)
