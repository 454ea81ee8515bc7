"""An owner lets a channel of Slack or Teams hear of the agency, by the page alone, and it hears in its own format."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Browser, expect

from tests.operations import DISABLE
from tests.pages.desk import Desk
from tests.people import World, email
from tests.waiting import until
from tests.webhooks.receiver import Receiver, receiving

URL = "/settings/security"
TESTED, HAPPENED = "This is a test of TaskJuice: alerts arrive here.", "mia@agency.example turned off MFA."


async def test_a_channel_of_slack_hears_in_its_format(product: World, browser: Browser) -> None:
    tested, happened = await heard(product, browser, "A channel of Slack")
    for body, said in ((tested, TESTED), (happened, HAPPENED)):
        assert sorted(body) == ["blocks", "text", "unfurl_links", "unfurl_media"]
        assert body["text"] == said
        section, context = body["blocks"]
        assert section == {"type": "section", "text": {"type": "plain_text", "text": said, "emoji": False}}
        where, link = context["elements"]
        assert (context["type"], where["type"], link["type"]) == ("context", "plain_text", "mrkdwn")
        assert where["text"].startswith("Agency · ")
        assert link["text"] == f"<{product.base_url.replace('127.0.0.1', 'localhost')}{URL}|Open agency security>"


async def test_a_channel_of_teams_hears_in_its_format(product: World, browser: Browser) -> None:
    tested, happened = await heard(product, browser, "A channel of Teams")
    for body, said in ((tested, TESTED), (happened, HAPPENED)):
        assert body["type"] == "message"
        (attachment,) = body["attachments"]
        assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        card = attachment["content"]
        assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
        assert card["body"][0]["inlines"][0]["text"] == said
        (action,) = card["actions"]
        assert (action["type"], action["title"]) == ("Action.OpenUrl", "Open agency security")
        assert action["url"].endswith(URL)


async def heard(product: World, browser: Browser, tells: str) -> list[dict[str, Any]]:
    """Let Olive add such a channel and send it a test, and Mia turn off MFA: what the channel gets."""
    mia = await product.sign_in("mia")
    factor = await product.enroll(mia)
    desk = Desk(browser, product.base_url.replace("127.0.0.1", "localhost"))
    async with receiving() as channel:
        page = await desk.sit("olive", URL)
        card = page.get_by_role("region", name="Webhooks")
        await card.get_by_role("button", name="Add webhook").click()
        dialog = page.get_by_role("dialog", name="Add webhook")
        await dialog.get_by_role("textbox", name="URL").fill(channel.url)
        await dialog.get_by_role("combobox", name="Tells").select_option(tells)
        await dialog.get_by_text("Only some events").click()
        await dialog.get_by_role("checkbox", name="A person turned MFA off.").check()
        await dialog.get_by_role("button", name="Add webhook").click()
        hook = card.get_by_role("listitem")
        await expect(hook).to_contain_text(channel.url)
        # Slack and Teams check no signature, so there is no secret to be kept.
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await hook.get_by_role("button", name="Send test").click()
        await expect(page.get_by_role("status").filter(has_text="A test is on its way")).to_be_visible()
        await until_heard(product, channel, 1)
        await hook.get_by_role("button", name="Deliveries").click()
        deliveries = page.get_by_role("dialog", name="Deliveries")
        await deliveries.get_by_role("button", name="Refresh").click()
        await expect(deliveries.get_by_role("listitem")).to_contain_text("TEST delivered")
        assert (await mia.do(DISABLE, code=await factor.code()))["__typename"] == "MfaDisabled"
        await until_heard(product, channel, 2)
    await desk.close()
    assert {headers["content-type"] for headers, _ in channel.requests} == {"application/json"}
    assert email("olive") not in str(channel.bodies())
    return channel.bodies()


async def until_heard(product: World, channel: Receiver, count: int) -> None:
    """Wait until so many messages have come, and that is on record."""

    async def have_come() -> bool:
        delivered = "SELECT count(*) FROM webhook_deliveries WHERE state = 'delivered'"
        return bool(len(channel.requests) == await product.database.fetchval(delivered) == count)

    await until(have_come, f"{count} messages to the channel")
