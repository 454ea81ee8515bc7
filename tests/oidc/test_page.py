"""The sign-in page of somebody who comes back from a provider with the second factor still to come."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from tests.oidc.browser import identities, signed_in, viewer
from tests.pages.conftest import Sit, sit
from tests.people import PASSWORD, World, email

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


async def test_a_person_removes_what_signs_in_as_them_and_allows_it_again(sit: Sit, world: World) -> None:
    page = await sit("mia")
    card = page.get_by_role("region", name="Sign-in providers")
    await expect(card).to_have_count(0)
    browser = await signed_in(world)
    await world.database.execute("UPDATE sessions SET password_at = now() - interval '1 hour'")
    await page.reload()
    await expect(row_of(page)).to_contain_text("linked")
    await row_of(page).get_by_role("button", name="Remove").click()
    dialog = page.get_by_role("dialog", name="Confirm that it is you")
    await dialog.get_by_role("textbox", name="Password").fill(PASSWORD)
    await dialog.get_by_role("button", name="Confirm").click()
    await expect(page.get_by_role("status").filter(has_text="Signing in by Test is removed.")).to_be_visible()
    await expect(row_of(page)).to_contain_text("removed")
    assert await viewer(browser) is None
    await row_of(page).get_by_role("button", name="Allow again").click()
    await expect(page.get_by_role("status").filter(has_text="Signing in by Test is allowed again.")).to_be_visible()
    await expect(card).to_have_count(0)


async def test_whoever_has_no_password_reads_what_to_do_first(sit: Sit, world: World) -> None:
    page = await sit("mia")
    await signed_in(world)
    await world.database.execute("UPDATE users SET password_hash = NULL")
    await page.reload()
    await row_of(page).get_by_role("button", name="Remove").click()
    card = page.get_by_role("region", name="Sign-in providers")
    await expect(card.get_by_role("alert").filter(has_text="Set a password first")).to_be_visible()
    assert await identities(world) == [email("mia")]


async def test_an_owner_removes_what_signs_in_as_a_member_and_allows_it_again(sit: Sit, world: World) -> None:
    await signed_in(world)
    page = await sit("olive", "/settings/security")
    mia = page.get_by_role("row").filter(has_text=email("mia"))
    await mia.get_by_role("button", name="Sessions").click()
    dialog = page.get_by_role("dialog", name="Sessions")
    row = dialog.get_by_role("list", name="Sign-in providers").get_by_role("listitem").filter(has_text="Test")
    await row.get_by_role("button", name="Remove").click()
    await expect(dialog.get_by_role("alert").filter(has_text="Set up MFA for your own sign-in first")).to_be_visible()
    await world.let_have_mfa("olive")
    await row.get_by_role("button", name="Remove").click()
    await expect(row).to_contain_text("removed")
    await expect(dialog.get_by_text("Signed in nowhere.")).to_be_visible()
    await row.get_by_role("button", name="Allow again").click()
    await expect(dialog.get_by_role("list", name="Sign-in providers")).to_have_count(0)
    assert [len(await world.events(f"IDENTITY_{kind}")) for kind in ("REMOVED", "ALLOWED")] == [1, 1]
