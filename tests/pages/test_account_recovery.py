"""Coming back alone, at the pages: the way at the second step, the link, the banner, and what an owner allows."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from rules.links import Purpose
from tests.account_recovery.operations import CANCEL
from tests.account_recovery.waiting import allow, start, started, stop_link, waits
from tests.coming_in.links import link_to
from tests.pages.conftest import Sit
from tests.pages.desk import give_password, set_up
from tests.people import World, email
from tests.waiting import until


async def test_the_second_step_leads_to_a_link_where_it_is_allowed(sit: Sit, world: World) -> None:
    await world.enrolled("mia")
    page = await sit()
    await page.goto("/sign-in")
    await give_password(page, "mia")
    await page.get_by_role("button", name="I have none of these").click()
    await expect(page.get_by_role("heading", name="Neither phone nor backup codes?")).to_be_focused()
    await page.get_by_role("button", name="Send me the link").click()
    await expect(page.get_by_text("an account that you belong to does not allow it")).to_be_visible()
    await allow(world)
    await page.get_by_role("button", name="Send me the link").click()
    await expect(page.get_by_text("Once you have opened it, you wait 3 days.")).to_be_focused()
    assert len(await world.events("ACCOUNT_RECOVERY_REQUESTED")) == 1
    await page.get_by_role("button", name="Use your authenticator app").click()
    await expect(page.get_by_role("textbox", name="6-digit code")).to_be_focused()


async def test_the_link_begins_the_wait_once_it_is_pressed(sit: Sit, world: World) -> None:
    await allow(world)
    await world.enrolled("mia")
    token = await link_to(world, email("mia"), Purpose.START_RECOVERY)
    page = await sit()
    await page.goto(f"/come-back#token={token}")
    await expect(page.get_by_role("button", name="Begin to wait")).to_be_focused()
    assert "token" not in page.url
    assert not await waits(world)
    await page.get_by_role("button", name="Begin to wait").click()
    await expect(page.get_by_role("status")).to_contain_text("unless that is stopped")
    assert await waits(world)
    await page.goto(f"/come-back#token={token}")
    await page.get_by_role("button", name="Begin to wait").click()
    await expect(page.get_by_role("heading", name="This link does not work")).to_be_focused()


@pytest.mark.parametrize(("name", "next_step"), [("mia", "Change your password"), ("olive", "Sign in")])
async def test_the_link_of_its_mail_stops_it_by_pressing_once(
    sit: Sit, world: World, name: str, next_step: str
) -> None:
    await started(world)
    token = await stop_link(world, name)
    page = await sit()
    await page.goto(f"/not-my-recovery#token={token}")
    await expect(page.get_by_role("button", name="Stop it")).to_be_focused()
    assert await waits(world)
    await page.get_by_role("button", name="Stop it").click()
    await expect(page.get_by_role("status")).to_contain_text(f"Nothing has changed for {email('mia')}")
    # Whoever stops a colleague's has no password of theirs to change.
    assert [await each.inner_text() for each in await page.locator("main a").all()] == [next_step]
    assert not await waits(world)


async def test_an_owner_sees_who_waits_as_it_begins_and_stops_it(sit: Sit, world: World) -> None:
    mia = await world.enrolled("mia")
    page = await sit("olive", at="/settings/security")
    await expect(page.get_by_role("row").filter(has_text=email("mia"))).to_be_visible()
    await allow(world)
    card = page.get_by_role("region", name="Coming back without MFA")
    for stopped_here in (False, True):
        await expect(card).to_have_count(0)
        assert (await start(world))["__typename"] == "AccountRecoveryStarted"
        await expect(card.get_by_role("listitem")).to_contain_text(email("mia"))
        await expect(card.get_by_role("listitem")).to_contain_text("MFA is reset on")
        if stopped_here:
            await card.get_by_role("button", name="Stop it").click()
            said = page.get_by_text(f"Stopped. The MFA of {email('mia')} stays as it is.")
            await expect(said).to_be_visible()
        else:
            await mia.do(CANCEL)
    await expect(card).to_have_count(0)
    assert [event["data"]["how"] for event in await world.events("ACCOUNT_RECOVERY_STOPPED")] == ["session", "manager"]


async def test_what_waits_is_there_when_the_page_opens_and_an_operator_only_looks(sit: Sit, world: World) -> None:
    await started(world)
    page = await sit("sue")
    await set_up(page)
    await page.goto(f"/settings/security?account={world.account_id}")
    card = page.get_by_role("region", name="Coming back without MFA")
    await expect(card.get_by_role("listitem")).to_contain_text(email("mia"))
    await expect(card.get_by_role("button")).to_have_count(0)


async def test_the_banner_tells_whoever_it_is_about_and_stops_it(sit: Sit, world: World) -> None:
    page = await sit("mia")
    await set_up(page)
    await allow(world)
    await page.reload()
    await expect(page.get_by_role("button", name="Disable MFA")).to_be_visible()
    assert (await start(world))["__typename"] == "AccountRecoveryStarted"
    banner = page.get_by_role("region", name="Your MFA is reset on")
    await banner.get_by_role("button", name="Stop it").click()
    await expect(banner).to_have_count(0)
    await expect(page.get_by_text("Stopped. Your MFA stays as it is.")).to_be_visible()
    assert not await waits(world)
    await page.reload()
    await expect(page.get_by_role("button", name="Disable MFA")).to_be_visible()
    await expect(banner).to_have_count(0)


async def test_an_owner_allows_it_and_an_admin_looks_on(sit: Sit, world: World) -> None:
    page = await sit("olive", at="/settings/security")
    card = page.get_by_role("region", name="Coming back alone")
    await card.get_by_text("Whether, and how long who waits").click()
    allowed = card.get_by_role("checkbox", name="Staff may come back alone")
    await expect(allowed).not_to_be_checked()
    await allowed.check()
    await card.get_by_role("combobox", name="Days that members wait").select_option("2")
    await card.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    held = await world.database.fetchrow("SELECT owner_days, admin_days, member_days FROM account_recovery_policies")
    assert held is not None
    assert tuple(held) == (7, 5, 2)
    looking = (await sit("adam", at="/settings/security")).get_by_role("region", name="Coming back alone")
    await looking.get_by_text("Whether, and how long who waits").click()
    await expect(looking.get_by_role("checkbox", name="Staff may come back alone")).to_be_disabled()
    await expect(looking.get_by_role("combobox", name="Days that members wait")).to_have_value("2")
    await allowed.uncheck()
    await card.get_by_role("button", name="Save").click()
    await until(lambda: world.database.fetchval("SELECT count(*) = 0 FROM account_recovery_policies"), "it is off")
