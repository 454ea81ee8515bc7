"""A reset that waits for a second owner or admin, at the pages."""

from __future__ import annotations

from playwright.async_api import Page, expect

from db.pool import Database
from rules.links import Purpose
from tests.account.acts import reset
from tests.account.operations import DECLINE
from tests.coming_in.links import link_to
from tests.pages.conftest import Sit
from tests.pages.desk import dialog_of, set_up
from tests.people import World, email
from tests.reminders.cast import planned, pool

__all__ = ["pool"]

AT = "/settings/security"


async def olive_sees(sit: Sit, world: World) -> Page:
    """Olive's page, with a reset of Mia's that Adam has asked for."""
    page = await sit("olive")
    await set_up(page)
    adam, _ = await world.enrolled("adam"), await world.enrolled("mia")
    await world.database.execute("UPDATE accounts SET reset_approval = 'EVERYONE'")
    assert (await reset(adam, world, "mia", "Phone lost on the train"))["__typename"] == "MfaResetPending"
    await page.goto(AT)
    card = page.get_by_role("region", name="Resets that wait")
    await expect(card).to_contain_text("Phone lost on the train")
    await expect(card).to_contain_text(email("adam"))
    return page


async def test_it_is_approved_once_its_mails_have_left(sit: Sit, world: World, pool: Database) -> None:
    page = await olive_sees(sit, world)
    card = page.get_by_role("region", name="Resets that wait")
    await card.get_by_role("button", name="Approve").click()
    await expect(card.get_by_role("alert")).to_contain_text("have not left yet")
    await planned(world, pool)
    await world.database.execute("UPDATE deliveries SET state = 'sent', sent_at = now()")
    await card.get_by_role("button", name="Approve").click()
    await expect(card).to_have_count(0)
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=email("mia")))
    await expect(row).to_contain_text("Not enabled")
    assert len(await world.events("MFA_RESET")) == 1


async def test_it_is_declined(sit: Sit, world: World) -> None:
    page = await olive_sees(sit, world)
    card = page.get_by_role("region", name="Resets that wait")
    await card.get_by_role("button", name="Decline").click()
    await expect(card).to_have_count(0)
    assert len(await world.events("MFA_RESET_DECLINED")) == 1


async def test_an_owner_chooses_it_and_is_told_that_a_reset_waits(sit: Sit, world: World) -> None:
    page = await sit("olive")
    await set_up(page)
    await world.enrolled("mia")
    await page.goto(AT)
    choice = page.get_by_role("combobox", name="A second owner or admin approves resets of")
    await choice.select_option("EVERYONE")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=email("mia")))
    await row.get_by_role("button", name="Reset MFA").click()
    await dialog_of(page).get_by_role("textbox", name="Reason").fill("Phone lost")
    await dialog_of(page).get_by_role("button", name="Reset MFA").click()
    await expect(page.get_by_role("status").filter(has_text="Another owner or admin must approve")).to_be_visible()
    assert await world.events("MFA_RESET") == []


async def test_the_card_and_the_roster_follow_what_others_do(sit: Sit, world: World) -> None:
    page = await sit("olive")
    await set_up(page)
    adam, _ = await world.enrolled("adam"), await world.enrolled("mia")
    await world.database.execute("UPDATE accounts SET reset_approval = 'EVERYONE'")
    await page.goto(AT)
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=email("mia")))
    card = page.get_by_role("region", name="Resets that wait")
    for reason in ("Phone lost on the train", "Phone stolen"):
        await expect(row).to_be_visible()
        await expect(row).not_to_contain_text("a reset waits for approval")
        answer = await reset(adam, world, "mia", reason)
        await expect(row).to_contain_text("a reset waits for approval")
        await expect(card).to_contain_text(reason)
        # By another page of hers, as by another owner.
        variables = {"account": str(world.account_id), "reset": answer["resetId"]}
        declined = await page.context.request.post("/graphql", data={"query": DECLINE, "variables": variables})
        assert (await declined.json())["data"]["declineMfaReset"]["__typename"] == "MfaResetDeclined"
        await expect(card).to_have_count(0)


async def test_whoever_has_too_few_approvers_is_warned_before_saving(sit: Sit, world: World) -> None:
    page = await sit("olive", AT)
    choice = page.get_by_role("combobox", name="A second owner or admin approves resets of")
    warning = page.get_by_role("status").filter(has_text="Too few owners and admins")
    await choice.select_option("OWNERS_AND_ADMINS")
    await expect(warning).to_contain_text("nobody could approve the resets of 2 staff members")
    await choice.select_option("NOBODY")
    await expect(warning).to_have_count(0)


async def test_the_link_of_its_email_asks_before_it_stops_it(sit: Sit, world: World) -> None:
    token = await link_to(world, email("mia"), Purpose.STOP_RESET)
    page = await sit()
    await page.goto(f"/not-wanted#token={token}")
    await expect(page.get_by_role("button", name="Stop the reset")).to_be_focused()
    assert "token" not in page.url
    await page.get_by_role("button", name="Stop the reset").click()
    await expect(page.get_by_role("heading", name="This link does not work")).to_be_focused()
