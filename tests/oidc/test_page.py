"""The sign-in page of somebody who comes back from a provider with the second factor still to come."""

from __future__ import annotations

from playwright.async_api import expect

from tests.pages.conftest import Sit, sit
from tests.people import World

__all__ = ["sit"]


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
