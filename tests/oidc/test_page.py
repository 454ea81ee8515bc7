"""The sign-in page of somebody who comes back from a provider with the second factor still to come."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from tests.pages.conftest import Sit, sit
from tests.people import World

__all__ = ["sit"]


async def test_an_owner_allows_a_providers_second_factor_and_an_admin_sees_it(sit: Sit, world: World) -> None:
    page = await sit("olive", "/settings/security")
    row = row_of(page)
    await expect(row).to_contain_text("Its second factor does not count")
    await row.get_by_role("button", name="Allow").click()
    await expect(row).to_contain_text("Its second factor satisfies the requirement")
    await expect(row.get_by_role("button", name="Allow no more")).to_be_focused()
    assert [event["type"] for event in await world.events("PROVIDER_MFA_ALLOWED")] == ["PROVIDER_MFA_ALLOWED"]
    page = await sit("adam", "/settings/security")
    await expect(row_of(page)).to_contain_text("Its second factor satisfies the requirement")
    await expect(row_of(page).get_by_role("button")).to_have_count(0)


def row_of(page: Page) -> Locator:
    """The provider's row."""
    return page.get_by_role("region", name="Sign-in providers").get_by_role("listitem").filter(has_text="Test")


async def test_the_page_asks_for_the_code_and_keeps_the_challenge_out_of_the_address(sit: Sit, world: World) -> None:
    factor = await world.enroll(await world.sign_in("mia"))
    _, token = await world.challenge("mia")
    await world.database.execute("UPDATE challenges SET use_cookie = true")
    page = await sit()
    await page.goto(f"/sign-in?next=/account/security#challenge={token}")
    await expect(page.get_by_role("textbox", name="code")).to_be_focused()
    assert "challenge" not in page.url
    link = page.get_by_role("link", name="Continue with Test")
    await expect(link).to_have_attribute("href", "/sign-in/with/test?next=/account/security")
    await page.get_by_role("textbox", name="code").fill(await factor.code())
    await expect(page.get_by_text("10 backup codes left.")).to_be_visible()
