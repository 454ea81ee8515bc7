"""The card of how an account stood at the end of a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from playwright.async_api import expect

from server.local.clock import let_pass
from tests.account.acts import save
from tests.operations import EXEMPT
from tests.pages.conftest import Sit
from tests.people import World, email

AT = "/settings/security"


async def test_who_manages_an_account_sees_how_it_stood_at_the_end_of_a_day(
    sit: Sit, world: World, database_url: str
) -> None:
    staff = await world.database.fetchval("SELECT count(*) FROM staff WHERE account_id = $1", world.account_id)
    await let_pass(database_url, timedelta(days=3))
    olive = await world.enrolled("olive")
    await save(olive, world, True, 7)
    until = (datetime.now(UTC) + timedelta(days=20)).isoformat()
    who = {"accountId": str(world.account_id), "staffId": str(await world.staff_id("mia"))}
    exempted = await olive.do(EXEMPT, input={**who, "until": until, "reason": "Waits for a new phone"})
    assert exempted["__typename"] == "MfaExempted"
    page = await sit("adam", at=AT)
    card = page.get_by_role("region", name="Compliance")
    await card.get_by_text("Look at a day").click()
    await card.get_by_role("button", name="Show").click()
    told = card.get_by_role("status")
    await expect(told).to_contain_text("MFA was required, by ")
    counts = f"MFA on: 1 of {staff}. Without it in time: {staff - 1}. Blocked: 0. Without it and with an exception: 1."
    await expect(told).to_contain_text(counts)
    await expect(told).to_contain_text(f"{email('mia')}: Exempt until ")
    await expect(told).to_contain_text(f"by {email('olive')}: Waits for a new phone")
    await card.get_by_label("Day").fill((datetime.now(UTC) - timedelta(days=2)).date().isoformat())
    await card.get_by_role("button", name="Show").click()
    await expect(told).to_contain_text("MFA was not required.")
    await expect(told).to_contain_text(f"MFA on: 0 of {staff}. ")
    await expect(told).not_to_contain_text(email("mia"))
    await card.get_by_label("Day").fill("")
    await card.get_by_role("button", name="Show").click()
    await expect(card.get_by_role("alert").filter(has_text="Day is missing.")).to_be_visible()
