"""The sessions on a person's own page, and what it asks for again."""

from __future__ import annotations

from playwright.async_api import expect

from tests.account.acts import save
from tests.databases import Databases
from tests.pages.conftest import Sit
from tests.pages.desk import give_password, set_up
from tests.people import PASSWORD, World, email


async def test_a_person_ends_sessions_one_by_one_and_all_others(sit: Sit, world: World) -> None:
    page = await sit("mia")
    others = [await sit("mia", user_agent="<b>curl</b>"), await sit("mia", user_agent="Mozilla Firefox Linux")]
    await page.reload()
    await expect(page.get_by_role("listitem")).to_have_count(3)
    # What a browser calls itself is text, never markup.
    await expect(page.get_by_role("listitem").filter(has_text="<b>curl</b>")).to_be_visible()
    await page.get_by_role("listitem").filter(has_text="<b>curl</b>").get_by_role("button", name="End session").click()
    await expect(page.get_by_role("listitem")).to_have_count(2)
    await expect(others[0].get_by_role("alert").filter(has_text="Your session has ended")).to_be_visible()
    await page.get_by_role("button", name="Sign out everywhere else").click()
    await expect(page.get_by_role("listitem")).to_have_count(1)
    await expect(others[1].get_by_role("alert").filter(has_text="Your session has ended")).to_be_visible()


async def test_a_person_whose_session_has_ended_goes_on_where_they_were(sit: Sit, world: World) -> None:
    page = await sit("mia")
    await page.get_by_role("textbox", name="New password").fill("a long sentence of words")
    await page.get_by_role("textbox", name="Current password").fill(PASSWORD)
    await world.database.execute("UPDATE sessions SET expires_at = now()")
    await page.get_by_role("button", name="Change password").click()

    dialog = page.get_by_role("dialog", name="Sign in again")
    await dialog.get_by_role("textbox", name="Password").fill(PASSWORD)
    await dialog.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("status").filter(has_text="Your password is changed.")).to_be_visible()


async def test_signing_in_again_keeps_what_was_typed_and_goes_on_watching(sit: Sit, world: World) -> None:
    page = await sit("mia")
    await page.get_by_role("textbox", name="New password").fill("a long sentence of words")
    await world.database.execute("DELETE FROM sessions")
    ended = page.get_by_role("alert").filter(has_text="Your session has ended")
    await ended.get_by_role("button", name="Sign in again").click()
    dialog = page.get_by_role("dialog", name="Sign in again")
    await dialog.get_by_role("textbox", name="Password").fill(PASSWORD)
    await dialog.get_by_role("button", name="Sign in").click()
    await expect(ended).to_have_count(0)
    await expect(page.get_by_role("textbox", name="New password")).to_have_value("a long sentence of words")
    await save(await world.sign_in("olive"), world, True, 1)
    await expect(page.get_by_text("You have 1 day to set it up.")).to_be_visible()


async def test_whoever_signs_in_on_anothers_page_carries_out_nothing_of_theirs(sit: Sit, world: World) -> None:
    page = await sit("mia")
    await page.get_by_role("textbox", name="New password").fill("a long sentence of words")
    await page.get_by_role("textbox", name="Current password").fill(PASSWORD)
    await world.database.execute("UPDATE sessions SET expires_at = now()")
    await page.get_by_role("button", name="Change password").click()
    dialog = page.get_by_role("dialog", name="Sign in again")
    await dialog.get_by_role("textbox", name="Email").fill(email("adam"))
    await dialog.get_by_role("textbox", name="Password").fill(PASSWORD)
    # The page that it loads does not come, so that what this one does can be seen.
    await page.route("**/account/security", lambda route: route.fulfill(status=204))
    await dialog.get_by_role("button", name="Sign in").click()
    await expect(dialog).to_have_count(0)
    await expect(page.locator("#change-password")).to_have_js_property("ariaBusy", "false")
    assert await world.events("PASSWORD_CHANGED") == []
    await page.unroute("**/account/security")
    await page.reload()
    await expect(page.get_by_role("banner")).to_contain_text(email("adam"))


async def test_a_page_shows_nothing_of_whoever_was_signed_in_before(sit: Sit, world: World) -> None:
    page = await sit("mia")
    await page.get_by_role("textbox", name="New password").fill("a long sentence of words")
    await page.get_by_role("textbox", name="Current password").fill(PASSWORD)
    elsewhere = await page.context.new_page()
    await elsewhere.goto("/account/security")
    await elsewhere.get_by_role("button", name="Sign out", exact=True).click()
    await give_password(elsewhere, "adam")
    await expect(elsewhere.get_by_role("banner")).to_contain_text(email("adam"))
    # Whoever comes back to the page.
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(page.get_by_role("banner")).to_contain_text(email("adam"))
    await expect(page.get_by_role("textbox", name="Current password")).to_have_value("")


async def test_a_proof_that_is_too_old_is_renewed_in_place(sit: Sit, world: World) -> None:
    page = await sit("mia")
    await world.database.execute("UPDATE sessions SET password_at = now() - interval '3 hours'")
    await page.get_by_role("button", name="Set up MFA").click()
    dialog = page.get_by_role("dialog", name="Confirm that it is you")
    await dialog.get_by_role("textbox", name="Password").fill("wrong")
    await dialog.get_by_role("button", name="Confirm").click()
    await expect(dialog.get_by_role("alert").filter(has_text="The password is wrong.")).to_be_visible()
    await dialog.get_by_role("textbox", name="Password").fill(PASSWORD)
    await dialog.get_by_role("button", name="Confirm").click()
    await expect(page.get_by_role("dialog", name="Set up MFA")).to_be_visible()


async def test_with_mfa_on_the_proof_is_a_code_as_well(sit: Sit, world: World) -> None:
    page = await sit("olive")
    factor = await set_up(page)
    await page.get_by_role("link", name="Agency security").click()
    await page.get_by_role("switch", name="Require MFA for all staff").check()
    await world.database.execute(
        "UPDATE sessions SET password_at = now() - interval '3 hours', second_factor_at = NULL"
    )
    await page.get_by_role("button", name="Save").click()
    dialog = page.get_by_role("dialog", name="Confirm that it is you")
    code = dialog.get_by_role("textbox", name="6-digit code")
    await dialog.get_by_role("textbox", name="Password").fill(PASSWORD)
    await code.fill("000000")
    await expect(dialog.get_by_role("alert").filter(has_text="That code is not right.")).to_be_visible()
    await expect(code).to_be_focused()
    await code.fill(await factor.code())
    await expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()

    await page.get_by_role("switch", name="Require MFA for all staff").uncheck()
    await world.database.execute("UPDATE sessions SET second_factor_at = NULL")
    await page.get_by_role("button", name="Save").click()
    await dialog.get_by_role("textbox", name="Password").fill(PASSWORD)
    await dialog.get_by_role("button", name="Use a backup code").click()
    await dialog.get_by_role("textbox", name="Backup code").fill(factor.backup_codes[0])
    await expect(page.get_by_text("MFA is not required now.")).to_be_visible()


async def test_a_person_signs_out(sit: Sit, world: World) -> None:
    page = await sit("mia")
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await page.wait_for_url("**/sign-in")
    await page.goto("/account/security")
    await page.wait_for_url("**/sign-in?next=/account/security")


async def test_a_sign_out_that_is_refused_leaves_the_page_and_says_so(
    sit: Sit, world: World, databases: Databases
) -> None:
    page = await sit("mia")
    sign_out = page.get_by_role("button", name="Sign out", exact=True)
    await expect(page.get_by_role("listitem")).to_have_count(1)
    async with databases.away(world.database):
        await sign_out.click()
        await expect(page.get_by_role("status").filter(has_text="briefly unavailable")).to_be_visible()
        await expect(page).to_have_url(f"{world.base_url}/account/security")
    assert await world.events("SIGNED_OUT") == []
    await sign_out.click()
    await page.wait_for_url("**/sign-in")
