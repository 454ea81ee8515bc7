"""The banner of the yearly check-up."""

from __future__ import annotations

from playwright.async_api import expect

from tests.pages.conftest import Sit
from tests.pages.desk import set_up
from tests.people import World


async def test_a_code_in_the_banner_ends_the_check_up(sit: Sit, world: World) -> None:
    page = await sit("mia")
    factor = await set_up(page)
    await world.database.execute(
        "UPDATE factors SET enabled_at = enabled_at - interval '365 days', last_step = last_step - 2880 * 365"
    )
    await page.reload()
    banner = page.get_by_role("region", name="Does your authenticator app still work?")
    await banner.get_by_role("textbox", name="6-digit code").fill("000000")
    await expect(banner.get_by_text("That code is not right.")).to_be_visible()
    await banner.get_by_role("textbox", name="6-digit code").fill(await factor.code())
    await expect(banner).to_have_count(0)
    await expect(page.get_by_text("Your authenticator app works.")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("button", name="Disable MFA")).to_be_visible()
    await expect(banner).to_have_count(0)
