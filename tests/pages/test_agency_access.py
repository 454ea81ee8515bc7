"""Who finds an agency's page, and what they may not do there."""

from __future__ import annotations

from playwright.async_api import expect

from tests.account.acts import save
from tests.client import http_client
from tests.pages.agency import AT, member
from tests.pages.conftest import Sit
from tests.pages.desk import dialog_of, set_up
from tests.people import World


async def test_an_admin_marks_no_break_glass_account(sit: Sit, world: World) -> None:
    await save(await world.sign_in("olive"), world, True)
    page = await sit("adam", AT)
    await member(page, "mia").get_by_role("button", name="Exception").click()
    await dialog_of(page).get_by_role("radio", name="Exemption").check()
    await expect(dialog_of(page).get_by_role("checkbox", name="Break-glass account")).to_be_hidden()


async def test_an_admin_makes_no_owner(sit: Sit, world: World) -> None:
    page = await sit("adam", AT)
    await page.get_by_role("button", name="Invite staff").click()
    options = await dialog_of(page).get_by_role("option").all_inner_texts()
    assert options == ["Member", "Admin"]


async def test_members_and_strangers_find_no_page(sit: Sit, world: World) -> None:
    page = await sit("mia")
    await expect(page.get_by_role("link", name="Agency security")).to_have_count(0)
    answer = await page.goto(AT)
    assert answer
    assert answer.status == 404
    await expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    sam = await sit("sam", AT)
    answer = await sam.goto(f"{AT}?account={world.account_id}")
    assert answer
    assert answer.status == 404


async def test_a_super_admin_looks_and_changes_nothing(sit: Sit, world: World) -> None:
    await save(await world.sign_in("olive"), world, True)
    page = await sit("sue")
    await page.goto(f"{AT}?account={world.account_id}")
    await expect(page.get_by_role("alert").first).to_be_visible()
    await page.goto("/account/security")
    await set_up(page)
    await page.goto(f"{AT}?account={world.account_id}")
    await expect(member(page, "mia")).to_contain_text("Not enabled")
    await expect(page.get_by_text("MFA is required. Grace period: 7 days")).to_be_visible()
    assert await page.get_by_role("switch").count() == 0
    for name in ("Save", "Reset MFA", "Remind", "Invite staff", "Exception", "Add webhook"):
        await expect(page.get_by_role("button", name=name)).to_have_count(0)
    await page.goto(f"{AT}?account=nonsense")
    await expect(page.get_by_role("alert").filter(has_text="There is no such account")).to_be_visible()


async def test_whoever_is_signed_out_is_led_back(sit: Sit, world: World) -> None:
    async with http_client(world.base_url) as http:
        answer = await http.get(f"{AT}?account=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/settings/security%3Faccount%3D1")
