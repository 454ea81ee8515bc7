"""What happens while a person's own page is open."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.account.acts import save
from tests.databases import Databases
from tests.pages.conftest import Sit
from tests.pages.desk import set_up
from tests.people import PASSWORD, World


async def test_a_button_stays_under_the_finger_while_the_page_hears_of_something_else(sit: Sit, world: World) -> None:
    await sit("mia", user_agent="curl")
    page = await sit("mia")
    end = page.get_by_role("listitem").filter(has_text="curl").get_by_role("button", name="End session")
    await end.focus()
    await save(await world.sign_in("olive"), world, True, 1)
    await expect(page.get_by_text("You have 1 day to set it up.")).to_be_visible()
    await expect(end).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("listitem")).to_have_count(1)


async def test_the_banner_leads_to_set_up(sit: Sit, world: World) -> None:
    await save(await world.sign_in("olive"), world, True, 7)
    page = await sit("mia")
    banner = page.get_by_role("region", name="MFA Required")
    await expect(banner).to_contain_text("Your agency requires MFA for all staff. You have 7 days to set it up.")
    await set_up(page, "Set it up now")
    await expect(banner).to_have_count(0)


async def test_the_blocked_reach_set_up_and_sign_out_alone(sit: Sit, world: World) -> None:
    await save(await world.sign_in("olive"), world, True, 0)
    page = await sit("mia")
    await expect(page.get_by_text("Set it up now to continue accessing your account.")).to_be_visible()
    assert await names_of_controls(page) == ["Sign out", "Set it up now"]
    await set_up(page, "Set it up now")
    await expect(page.get_by_role("heading", name="Security", exact=True)).to_be_visible()


async def test_the_banner_comes_while_the_page_is_open(sit: Sit, world: World) -> None:
    page = await sit("mia")
    await expect(page.get_by_role("button", name="Set up MFA")).to_be_visible()
    await save(await world.sign_in("olive"), world, True, 1)
    await expect(page.get_by_text("You have 1 day to set it up.")).to_be_visible()


async def test_a_network_that_is_away_loses_nothing(sit: Sit, world: World) -> None:
    page = await sit("mia")
    await page.get_by_role("textbox", name="Current password").fill(PASSWORD)
    await page.get_by_role("textbox", name="New password").fill("a long sentence of words")
    await page.route("**/graphql", lambda route: route.fulfill(body="<p>Back soon.</p>"))
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_role("alert").filter(has_text="The server cannot be reached.")).to_be_visible()
    await page.unroute("**/graphql")
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_role("status").filter(has_text="Your password is changed.")).to_be_visible()


async def test_a_database_that_is_away_loses_nothing(sit: Sit, world: World, databases: Databases) -> None:
    page = await sit("mia")
    await page.get_by_role("textbox", name="Current password").fill(PASSWORD)
    await page.get_by_role("textbox", name="New password").fill("a long sentence of words")
    async with databases.away(world.database):
        await page.get_by_role("button", name="Change password").click()
        await expect(page.get_by_role("alert").filter(has_text="try again")).to_be_visible()
        await expect(page.get_by_role("textbox", name="New password")).to_have_value("a long sentence of words")
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_role("status").filter(has_text="Your password is changed.")).to_be_visible()


async def names_of_controls(page: Page) -> list[str]:
    """The names of all that can be pressed or filled in."""
    controls = page.locator("button:visible, a:visible, input:visible, select:visible")
    return [text.strip() for text in await controls.all_inner_texts()]
