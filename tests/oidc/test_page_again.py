"""Signing in once more on a page, by the provider that one has come by."""

from __future__ import annotations

from playwright.async_api import expect

from tests.pages.conftest import Sit, sit
from tests.people import World, email

__all__ = ["sit"]


async def test_a_proof_that_is_too_old_is_renewed_at_the_provider(sit: Sit, world: World) -> None:
    page = await sit("mia")
    await world.database.execute("UPDATE users SET password_hash = NULL WHERE email = $1", email("mia"))
    await world.database.execute("UPDATE sessions SET password_at = now() - interval '3 hours'")
    await page.get_by_role("button", name="Set up MFA").click()
    way = page.get_by_role("dialog", name="Confirm that it is you").get_by_role("link", name="Continue with Test")
    await expect(way).to_have_attribute("href", f"{world.base_url}/sign-in/with/test?fresh&next=%2Faccount%2Fsecurity")


async def test_whoever_has_come_by_a_provider_signs_in_again_by_it(sit: Sit, world: World) -> None:
    page = await sit("olive", f"/settings/security?account={world.account_id}")
    await expect(page.get_by_role("switch")).to_be_visible()
    await world.database.execute("DELETE FROM sessions")
    await page.get_by_role("alert").get_by_role("button", name="Sign in again").click()
    way = page.get_by_role("dialog", name="Sign in again").get_by_role("link", name="Continue with Test")
    wanted = f"%2Fsettings%2Fsecurity%3Faccount%3D{world.account_id}"
    await expect(way).to_have_attribute("href", f"{world.base_url}/sign-in/with/test?next={wanted}")
