"""The webhooks on an agency's page."""

from __future__ import annotations

from playwright.async_api import expect

from tests.pages.agency import AT
from tests.pages.conftest import Sit
from tests.pages.desk import dialog_of
from tests.people import World
from tests.webhooks.operations import ADD


async def test_an_owner_looks_after_webhooks(sit: Sit, world: World) -> None:
    page = await sit("olive", AT)
    card = page.get_by_role("region", name="Webhooks")
    await expect(card).to_contain_text("No webhooks yet.")
    await card.get_by_role("button", name="Add webhook").click()
    dialog = page.get_by_role("dialog", name="Add webhook")
    await dialog.get_by_role("textbox", name="URL").fill("http://127.0.0.1/hook")
    await dialog.get_by_role("button", name="Add webhook").click()
    await expect(dialog.get_by_role("alert").filter(has_text="calls no private")).to_be_visible()
    await dialog.get_by_role("textbox", name="URL").fill("https://hooks.example.com/<b>x</b>")
    await dialog.get_by_text("Only some events").click()
    await dialog.get_by_role("checkbox", name="A person turned MFA on.").check()
    await dialog.get_by_role("checkbox", name="A person turned MFA off.").check()
    await dialog.get_by_role("button", name="Add webhook").click()
    saved = page.get_by_role("dialog", name="Save the signing secret")
    await expect(saved.get_by_text("whsec_")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(saved.get_by_role("button", name="Done")).to_be_disabled()
    await saved.get_by_role("checkbox", name="I have saved this secret").check()
    await saved.get_by_role("button", name="Done").click()
    hook = card.get_by_role("listitem")
    await expect(hook).to_contain_text("https://hooks.example.com/<b>x</b>")
    await expect(hook).to_contain_text("Told of 2 kinds of events")

    await hook.get_by_role("button", name="Send test").click()
    await expect(page.get_by_role("status").filter(has_text="A test is on its way")).to_be_visible()
    await world.database.execute("UPDATE webhook_deliveries SET state = 'failed'")
    await world.database.execute(
        "INSERT INTO webhook_attempts (delivery_id, duration_ms, error) "
        "SELECT id, 7, 'No answer came.' FROM webhook_deliveries"
    )
    await hook.get_by_role("button", name="Deliveries").click()
    deliveries = page.get_by_role("dialog", name="Deliveries")
    await expect(deliveries.get_by_role("listitem")).to_contain_text("TEST failed")
    await expect(deliveries.get_by_role("listitem")).to_contain_text("No answer came.")
    await deliveries.get_by_role("button", name="Send again").click()
    await expect(deliveries.get_by_role("listitem")).to_contain_text("TEST pending")
    await deliveries.get_by_role("button", name="Close").click()

    await hook.get_by_role("button", name="New secret").click()
    await dialog_of(page).get_by_role("button", name="New secret").click()
    await saved.get_by_role("checkbox", name="I have saved this secret").check()
    await saved.get_by_role("button", name="Done").click()
    await world.database.execute("UPDATE webhooks SET disabled_at = now(), failing_since = now()")
    await page.reload()
    await expect(hook).to_contain_text("switched off since")
    await hook.get_by_role("button", name="Switch on").click()
    await expect(hook.get_by_role("button", name="Send test")).to_be_visible()
    await hook.get_by_role("button", name="Remove").click()
    await dialog_of(page).get_by_role("button", name="Remove").click()
    await expect(card).to_contain_text("No webhooks yet.")


async def test_an_admin_sees_webhooks_and_changes_none(sit: Sit, world: World) -> None:
    olive = await world.sign_in("olive")
    await olive.do(ADD, input={"accountId": str(world.account_id), "url": "https://hooks.example.com"})
    page = await sit("adam", AT)
    card = page.get_by_role("region", name="Webhooks")
    await expect(card.get_by_role("listitem")).to_contain_text("https://hooks.example.com")
    await expect(card.locator("button:visible")).to_have_text(["Deliveries"])
