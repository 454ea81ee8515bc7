"""The card of who may be locked out, and what saving codes does to it."""

from __future__ import annotations

from playwright.async_api import expect

from tests.pages.conftest import Sit
from tests.pages.desk import set_up
from tests.people import World, crowd, email
from tests.waiting import until

AT = "/settings/security"


async def test_the_card_names_who_could_not_come_back_and_why(sit: Sit, world: World) -> None:
    await world.let_have_mfa("mia")
    page = await sit("olive", at=AT)
    card = page.get_by_role("region", name="Who may be locked out")
    await expect(card).to_contain_text("1 staff member could not come back today")
    await expect(card.get_by_role("listitem")).to_have_text([f"{email('mia')}No backup code is left."])
    await expect(card.get_by_role("button", name="Show more")).to_be_hidden()


async def test_more_than_a_few_are_shown_when_asked_for(sit: Sit, world: World) -> None:
    ids = await crowd(world.database, world.account_id, 8)
    await world.database.execute(
        "INSERT INTO factors (user_id, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id) "
        "SELECT unnest($1::uuid[]), '', 'test', 0, $2, 'test'",
        ids,
        bytes(16),
    )
    card = (await sit("olive", at=AT)).get_by_role("region", name="Who may be locked out")
    await expect(card.get_by_role("listitem")).to_have_count(5)
    await card.get_by_role("button", name="Show more").click()
    await expect(card.get_by_role("listitem")).to_have_count(8)
    await expect(card.get_by_role("button", name="Show more")).to_be_hidden()


async def test_where_nobody_is_at_risk_there_is_no_card(sit: Sit, world: World) -> None:
    page = await sit("olive")
    await set_up(page)
    await until(lambda: world.events("BACKUP_CODES_SAVED"), "the codes are said to be saved")
    await page.goto(AT)
    await expect(page.get_by_role("heading", name="Staff MFA Status")).to_be_visible()
    await page.wait_for_load_state("networkidle")
    await expect(page.get_by_role("region", name="Who may be locked out")).to_have_count(0)
    assert len(await world.events("BACKUP_CODES_SAVED")) == 1
