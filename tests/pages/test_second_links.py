"""A second link of an email, opened in the tab that shows the page of the first: it loads nothing anew."""

from __future__ import annotations

from playwright.async_api import expect

from rules.links import Purpose
from tests.account_recovery.waiting import allow
from tests.coming_in.links import link_to
from tests.pages.conftest import Sit
from tests.people import World, email

RESET = "UPDATE users SET reenrollment_required_at = now()"


async def test_this_was_not_me_acts_on_the_link_that_was_opened_last(sit: Sit, world: World) -> None:
    await world.database.execute(RESET)
    page = await sit()
    for name in ("mia", "adam"):
        await page.goto(f"/not-me#token={await link_to(world, email(name), Purpose.NOT_ME)}")
        await expect(page.get_by_role("button", name="This was not me")).to_be_focused()
        await expect(page).to_have_url(f"{world.base_url}/not-me")
    await page.get_by_role("button", name="This was not me").click()
    await expect(page.get_by_role("status")).to_contain_text(email("adam"))
    assert [event["subject_id"] for event in await world.events("MFA_RESET_DISPUTED")] == [await world.user_id("adam")]


async def test_a_link_that_is_opened_after_a_worthless_one_works(sit: Sit, world: World) -> None:
    await allow(world)
    await world.enrolled("mia")
    page = await sit()
    await page.goto("/come-back")
    await expect(page.get_by_role("heading", name="This link does not work")).to_be_focused()
    await page.goto(f"/come-back#token={await link_to(world, email('mia'), Purpose.START_RECOVERY)}")
    await page.get_by_role("button", name="Begin to wait").click()
    await expect(page.get_by_role("status")).to_contain_text("unless that is stopped")


async def test_the_link_to_set_up_works_where_the_page_is_open_already(sit: Sit, world: World) -> None:
    await world.database.execute(RESET)
    await world.database.execute("UPDATE accounts SET confirm_reset_by_email = true")
    page = await sit("mia")
    await expect(page.get_by_role("button", name="Set it up now")).to_be_visible()
    await page.goto(f"/account/security#token={await link_to(world, email('mia'), Purpose.ENROLLMENT)}")
    await expect(page.get_by_role("dialog", name="Set up MFA")).to_be_visible()
    await expect(page).to_have_url(f"{world.base_url}/account/security")
