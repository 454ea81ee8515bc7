"""A form that was open while somebody else saved: it undoes nothing of what they have saved."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.account.acts import ask_account, save
from tests.account_recovery.operations import ALLOW, ALLOWED
from tests.alerts.operations import MATRIX, UPDATE_ALERTS
from tests.operations import POLICY
from tests.pages.agency import AT
from tests.pages.conftest import Sit
from tests.people import World

DELAYS = {"ownerDays": 7, "adminDays": 5, "memberDays": 3}


async def refused(page: Page) -> None:
    """It is said that somebody else has saved meanwhile."""
    await expect(page.get_by_role("alert").filter(has_text="Somebody else has changed this meanwhile.")).to_be_visible()


async def test_an_old_switch_does_not_end_a_requirement(sit: Sit, world: World) -> None:
    olive = await world.sign_in("olive")
    page = await sit("adam", AT)
    switch = page.get_by_role("switch", name="Require MFA for all staff")
    confirm = page.get_by_role("checkbox", name="Confirm by email after a reset")
    await expect(switch).not_to_be_checked()
    await save(olive, world, True, 9)
    await confirm.check()
    await page.get_by_role("button", name="Save", exact=True).click()
    await refused(page)
    assert (await ask_account(olive, world, POLICY))["requireMfa"] is True
    assert await world.events("POLICY_DISABLED", "RESET_CONFIRMATION_CHANGED") == []
    # What was not touched shows what holds now, and what was chosen stays.
    await expect(switch).to_be_checked()
    await expect(page.get_by_role("spinbutton", name="Grace period (days)")).to_have_value("9")
    await expect(page.get_by_role("status").filter(has_text="MFA is required. Grace period: 9 days")).to_be_visible()
    await expect(confirm).to_be_checked()
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    assert (await ask_account(olive, world, POLICY))["gracePeriodDays"] == 9
    assert len(await world.events("RESET_CONFIRMATION_CHANGED")) == 1


async def test_old_days_do_not_let_anybody_come_back_alone_again(sit: Sit, world: World) -> None:
    olive = await world.sign_in("olive")
    await olive.do(ALLOW, account=str(world.account_id), delays=DELAYS)
    page = await sit("olive", AT)
    await page.get_by_text("Whether, and how long who waits").click()
    card = page.get_by_role("region", name="Coming back alone")
    allowed = card.get_by_role("checkbox", name="Staff may come back alone")
    await expect(allowed).to_be_checked()
    await olive.do(ALLOW, account=str(world.account_id), delays=None)
    await card.get_by_role("combobox", name="Days that members wait").select_option("2")
    await card.get_by_role("button", name="Save").click()
    await refused(page)
    assert await ask_account(olive, world, ALLOWED) is None
    await expect(allowed).not_to_be_checked()
    await allowed.check()
    await card.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    assert await ask_account(olive, world, ALLOWED) == DELAYS | {"memberDays": 2}


async def test_an_old_list_of_alerts_changes_those_alone_that_were_chosen(sit: Sit, world: World) -> None:
    olive = await world.sign_in("olive")
    page = await sit("olive", AT)
    await page.get_by_text("Who gets which").click()
    locked = page.get_by_role("group", name="A sign-in was locked").get_by_role("checkbox", name="Owners")
    await expect(locked).to_be_checked()
    wish = {"kind": "LOCKED", "email": False, "emailAdmins": True}
    await olive.do(UPDATE_ALERTS, account=str(world.account_id), alerts=[wish])
    await page.get_by_role("group", name="The MFA of somebody was reset").get_by_role("checkbox", name="Admins").check()
    await page.get_by_role("button", name="Save alerts").click()
    await expect(page.get_by_text("Saved. All owners are told by email.")).to_be_visible()
    held = {each["kind"]: each for each in await ask_account(olive, world, MATRIX)}
    assert held["LOCKED"] == wish
    assert held["MFA_RESET"] == {"kind": "MFA_RESET", "email": True, "emailAdmins": True}
    await expect(locked).not_to_be_checked()
