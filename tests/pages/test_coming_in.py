"""Coming in by the pages: by an invitation's link, by a forgotten password, and by keyboard alone."""

from __future__ import annotations

from playwright.async_api import Page, expect

from rules.links import Purpose
from tests.coming_in.links import link_to
from tests.coming_in.operations import INVITE
from tests.pages.conftest import Sit
from tests.pages.desk import codes_in, give_password, scan
from tests.people import PASSWORD, World, email

NEW = "a wholly other phrase"


async def set_password(page: Page, token: str) -> None:
    """Open the link, try one that is too short, then set a password, and go on to sign in."""
    await page.goto(f"/set-password#token={token}")
    await page.get_by_role("textbox", name="New password").fill("short")
    await page.get_by_role("button", name="Set password").click()
    await expect(page.get_by_role("alert").filter(has_text="characters")).to_be_visible()
    await page.get_by_role("textbox", name="New password").fill(NEW)
    await page.get_by_role("button", name="Set password").click()
    await expect(page.get_by_role("heading", name="Your password is set")).to_be_visible()
    await page.get_by_role("link", name="Sign in").click()


async def test_an_invited_colleague_sets_a_password_and_is_asked_to_enroll(sit: Sit, world: World) -> None:
    olive = await world.sign_in("olive")
    await olive.do(INVITE, account=str(world.account_id), email=email("nina"), role="MEMBER")
    page = await sit()
    await set_password(page, await link_to(world, email("nina"), Purpose.INVITATION, minutes=60))
    await give_password(page, "nina", NEW)
    await expect(page.get_by_role("button", name="Set up MFA")).to_be_visible()


async def test_whoever_has_a_password_signs_in_to_accept_an_invitation(sit: Sit, world: World) -> None:
    sam = await world.sign_in("sam")
    await sam.do(INVITE, account=str(world.other_account_id), email=email("mia"), role="ADMIN")
    token = await link_to(world, email("mia"), Purpose.INVITATION, minutes=60)
    page = await sit()
    # Offered at once, and where the form has been sent all the same.
    await page.goto(f"/set-password?invited#token={token}")
    await expect(page.get_by_role("link", name="Sign in to accept the invitation")).to_be_visible()
    await world.database.execute("UPDATE users SET password_set_at = now() WHERE email = $1", email("mia"))
    await page.get_by_role("textbox", name="New password").fill(NEW)
    await page.get_by_role("button", name="Set password").click()
    await expect(page.get_by_role("heading", name="Sign in to join")).to_be_visible()
    await page.get_by_role("link", name="Sign in to accept the invitation").click()
    await give_password(page, "mia")
    await expect(page.get_by_text("You have joined: the invitation is accepted.")).to_be_visible()
    assert len(await world.events("STAFF_ADDED")) == 1
    await expect(page.get_by_role("link", name="Agency")).to_be_visible()


async def test_no_other_link_offers_to_accept_an_invitation(sit: Sit, world: World) -> None:
    page = await sit()
    await page.goto(f"/set-password#token={await link_to(world, email('mia'), Purpose.PASSWORD_RESET)}")
    await expect(page.get_by_role("textbox", name="New password")).to_be_visible()
    await expect(page.get_by_role("link", name="Sign in to accept the invitation")).to_be_hidden()


async def test_a_forgotten_password_is_set_anew_and_the_code_is_still_asked_for(sit: Sit, world: World) -> None:
    factor = await world.enroll(await world.sign_in("mia"))
    page = await sit()
    await page.goto("/sign-in")
    await page.get_by_role("link", name="Forgot password?").click()
    await page.get_by_role("textbox", name="Email").fill(email("mia"))
    await page.get_by_role("button", name="Send link").click()
    await expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    token = await link_to(world, email("mia"), Purpose.PASSWORD_RESET)
    await set_password(page, token)
    await give_password(page, "mia", PASSWORD)
    await expect(page.get_by_role("alert").filter(has_text="The email or the password is wrong.")).to_be_visible()
    await give_password(page, "mia", NEW)
    await page.get_by_role("textbox", name="6-digit code").fill(await factor.code())
    await expect(page.get_by_role("button", name="Disable MFA")).to_be_visible()
    await page.goto(f"/set-password#token={token}")
    await page.get_by_role("textbox", name="New password").fill(NEW)
    await page.get_by_role("button", name="Set password").click()
    await expect(page.get_by_role("alert").filter(has_text="This link has been used already")).to_be_visible()


async def test_whoever_manages_two_agencies_picks_one(sit: Sit, world: World) -> None:
    await world.database.execute(
        "INSERT INTO staff (account_id, user_id, email, role) "
        "SELECT $1, id, email, 'ADMIN' FROM users WHERE email = $2",
        world.other_account_id,
        email("olive"),
    )
    page = await sit("olive", "/settings/security")
    await page.get_by_role("combobox", name="Agency").select_option("Other")
    await page.wait_for_url(f"**/settings/security?account={world.other_account_id}")
    await expect(page.get_by_role("row").filter(has_text=email("sam"))).to_be_visible()
    await expect(page.get_by_role("row").filter(has_text=email("mia"))).to_have_count(0)


async def test_a_person_signs_in_and_enrolls_by_keyboard_alone(sit: Sit, world: World) -> None:
    page = await sit()
    await page.goto("/sign-in")
    await expect(page.get_by_role("textbox", name="Email")).to_be_focused()
    await page.keyboard.type(email("mia"))
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await tab_to(page, "Set up MFA")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("textbox", name="6-digit code")).to_be_focused()
    factor = await scan(page)
    await page.keyboard.type(await factor.code())
    dialog = page.get_by_role("dialog", name="Save your backup codes")
    await codes_in(dialog)
    saved = dialog.get_by_role("checkbox", name="I have saved these codes")
    while not await saved.evaluate("(field) => field === document.activeElement"):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await tab_to(page, "Done")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("10 backup codes left.")).to_be_visible()


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until the button of this name has the focus."""
    button = page.get_by_role("button", name=name)
    await expect(button).to_be_enabled()
    for _ in range(40):
        if await button.evaluate("(field) => field === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {name}.")
