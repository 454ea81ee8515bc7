"""Showing once more who one is, for people who have no password here."""

from __future__ import annotations

from playwright.async_api import expect

from tests.pages.conftest import Sit
from tests.pages.desk import codes_in, set_up
from tests.people import World, email


async def without_password(world: World, name: str) -> None:
    """Let the person of this page have come by a provider or a directory, and their proofs be hours old."""
    await world.database.execute("UPDATE users SET password_hash = NULL WHERE email = $1", email(name))
    await world.database.execute(
        "UPDATE sessions SET password_at = now() - interval '3 hours', second_factor_at = NULL"
    )
    await world.forget_spent_steps(name)


async def test_whoever_has_no_password_confirms_a_change_by_a_code_alone(sit: Sit, world: World) -> None:
    page = await sit("olive")
    factor = await set_up(page)
    await page.get_by_role("link", name="Agency security").click()
    await page.get_by_role("switch", name="Require MFA for all staff").check()
    await without_password(world, "olive")
    await page.get_by_role("button", name="Save", exact=True).click()
    dialog = page.get_by_role("dialog", name="Confirm that it is you")
    await expect(dialog.get_by_role("textbox", name="6-digit code")).to_be_focused()
    await expect(dialog.get_by_role("textbox", name="Password")).to_have_count(0)
    await dialog.get_by_role("textbox", name="6-digit code").fill(await factor.code())
    await expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()


async def test_where_the_change_brings_a_code_another_one_confirms_it(sit: Sit, world: World) -> None:
    page = await sit("mia")
    factor = await set_up(page)
    await without_password(world, "mia")
    await page.get_by_role("button", name="Regenerate backup codes").click()
    asking = page.get_by_role("dialog", name="Regenerate backup codes")
    await asking.get_by_role("textbox", name="6-digit code").fill(await factor.code())
    dialog = page.get_by_role("dialog", name="Confirm that it is you")
    await dialog.get_by_role("button", name="Use a backup code").click()
    await dialog.get_by_role("textbox", name="Backup code").fill(factor.backup_codes[0])
    fresh = await codes_in(page.get_by_role("dialog", name="Save your backup codes"))
    assert not set(fresh) & set(factor.backup_codes)


async def test_whoever_has_neither_password_nor_code_is_told_what_to_do(sit: Sit, world: World) -> None:
    page = await sit("mia")
    await without_password(world, "mia")
    await page.get_by_role("button", name="Set up MFA").click()
    dialog = page.get_by_role("dialog", name="Confirm that it is you")
    await expect(dialog).to_contain_text("You have no password here: sign in again the way you came")
    await expect(dialog.get_by_role("button")).to_have_text(["Cancel"])
    await expect(dialog.get_by_role("textbox", name="Password")).to_have_count(0)
