"""An agency's security page, as the documentation tells it."""

from __future__ import annotations

import asyncio
import csv
import re
from datetime import date, timedelta

from playwright.async_api import Locator, Page, expect

from resolvers.operators.staff import remove_staff
from tests.account.acts import save
from tests.client import SERVED, http_client
from tests.coming_in.operations import INVITE
from tests.pages.conftest import Sit
from tests.pages.desk import dialog_of, set_up
from tests.people import World, crowd, email
from tests.webhooks.operations import ADD

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


async def test_an_admin_marks_no_break_glass_account(sit: Sit, world: World) -> None:
    await save(await world.sign_in("olive"), world, True)
    page = await sit("adam", AT)
    await member(page, "mia").get_by_role("button", name="Exception").click()
    await dialog_of(page).get_by_role("radio", name="Exemption").check()
    await expect(dialog_of(page).get_by_role("checkbox", name="Break-glass account")).to_be_hidden()


async def test_an_owner_looks_after_webhooks(sit: Sit, world: World) -> None:
    page = await sit("olive", AT)
    card = page.get_by_role("region", name="Webhooks")
    await expect(card).to_contain_text("No webhooks yet.")
    await card.get_by_role("button", name="Add webhook").click()
    dialog = page.get_by_role("dialog", name="Add webhook")
    await dialog.get_by_role("textbox", name="URL").fill("http://127.0.0.1/hook")
    await dialog.get_by_role("button", name="Add webhook").click()
    await expect(dialog.get_by_role("alert").filter(has_text="calls no private")).to_be_visible()
    await dialog.get_by_role("textbox", name="URL").fill("https://hooks.example.com/<b>x</b>")
    await dialog.get_by_text("Only some events").click()
    await dialog.get_by_role("checkbox", name="A person turned MFA on.").check()
    await dialog.get_by_role("checkbox", name="A person turned MFA off.").check()
    await dialog.get_by_role("button", name="Add webhook").click()
    saved = page.get_by_role("dialog", name="Save the signing secret")
    await expect(saved.get_by_text("whsec_")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(saved.get_by_role("button", name="Done")).to_be_disabled()
    await saved.get_by_role("checkbox", name="I have saved this secret").check()
    await saved.get_by_role("button", name="Done").click()
    hook = card.get_by_role("listitem")
    await expect(hook).to_contain_text("https://hooks.example.com/<b>x</b>")
    await expect(hook).to_contain_text("Told of 2 kinds of events")

    await hook.get_by_role("button", name="Send test").click()
    await expect(page.get_by_role("status").filter(has_text="A test is on its way")).to_be_visible()
    await world.database.execute("UPDATE webhook_deliveries SET state = 'failed'")
    await world.database.execute(
        "INSERT INTO webhook_attempts (delivery_id, duration_ms, error) "
        "SELECT id, 7, 'No answer came.' FROM webhook_deliveries"
    )
    await hook.get_by_role("button", name="Deliveries").click()
    deliveries = page.get_by_role("dialog", name="Deliveries")
    await expect(deliveries.get_by_role("listitem")).to_contain_text("TEST failed")
    await expect(deliveries.get_by_role("listitem")).to_contain_text("No answer came.")
    await deliveries.get_by_role("button", name="Send again").click()
    await expect(deliveries.get_by_role("listitem")).to_contain_text("TEST pending")
    await deliveries.get_by_role("button", name="Close").click()

    await hook.get_by_role("button", name="New secret").click()
    await dialog_of(page).get_by_role("button", name="New secret").click()
    await saved.get_by_role("checkbox", name="I have saved this secret").check()
    await saved.get_by_role("button", name="Done").click()
    await world.database.execute("UPDATE webhooks SET disabled_at = now(), failing_since = now()")
    await page.reload()
    await expect(hook).to_contain_text("switched off since")
    await hook.get_by_role("button", name="Switch on").click()
    await expect(hook.get_by_role("button", name="Send test")).to_be_visible()
    await hook.get_by_role("button", name="Remove").click()
    await dialog_of(page).get_by_role("button", name="Remove").click()
    await expect(card).to_contain_text("No webhooks yet.")


async def test_an_admin_sees_webhooks_and_changes_none(sit: Sit, world: World) -> None:
    olive = await world.sign_in("olive")
    await olive.do(ADD, input={"accountId": str(world.account_id), "url": "https://hooks.example.com"})
    page = await sit("adam", AT)
    card = page.get_by_role("region", name="Webhooks")
    await expect(card.get_by_role("listitem")).to_contain_text("https://hooks.example.com")
    await expect(card.locator("button:visible")).to_have_text(["Deliveries"])


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
    for name in ("Save", "Reset MFA", "Remind", "Invite staff", "Exception", "Add webhook"):
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
    async with http_client(world.base_url) as http:
        answer = await http.get(f"{AT}?account=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/settings/security%3Faccount%3D1")


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
