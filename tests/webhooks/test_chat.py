"""Channels of Slack and Teams are told in their own formats, by the way of all webhooks; markup in names stays text."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from db import outbox, webhook_deliveries
from resolvers.webhooks import insert
from rules.chat import Format, Message, written
from rules.clients import Client
from rules.events.mfa import MfaDisabled
from rules.sealing import KeyRing
from settings import parse_secret_keys
from tests.client import SECRET_KEYS
from tests.line import Line
from tests.people import World
from tests.webhooks.operations import ADD, TEST
from tests.webhooks.receiver import Receiver, receiving, refused, taken

RING = KeyRing(parse_secret_keys(SECRET_KEYS))
EVIL = "<!channel> <https://evil.example|Sign in> & **[here](https://evil.example)**"


async def channel(line: Line, receiver: Receiver, format_: Format) -> UUID:
    """A channel of the agency at the receiver."""
    webhook, _ = await insert(line.database, RING, line.world.account_id, receiver.url, None, format_)
    return webhook.id


def told_by(body: dict[str, Any]) -> list[str]:
    """The texts of a message, from whichever format."""
    if "blocks" in body:
        section, context = body["blocks"]
        return [section["text"]["text"], context["elements"][0]["text"]]
    card = body["attachments"][0]["content"]
    return [block["inlines"][0]["text"] for block in card["body"]]


async def test_both_are_told_in_a_sentence_by_the_same_way_and_retries_and_can_be_tested(line: Line) -> None:
    mia = await line.world.user_id("mia")
    async with receiving(refused) as slack, receiving() as teams:
        ids = [await channel(line, slack, Format.SLACK), await channel(line, teams, Format.TEAMS)]
        await webhook_deliveries.add_test(line.database, ids[1])
        await line.start("relay", "worker", webhook_allow_private="true")
        off = MfaDisabled(subject_id=mia, actor_id=mia, client=Client(None, None))
        async with line.database.transaction():
            await outbox.append(line.database, off)

        async def is_put_off() -> object:
            return await line.database.fetchval(
                "SELECT attempts = 1 AND state = 'pending' FROM webhook_deliveries WHERE webhook_id = $1", ids[0]
            )

        await line.until(is_put_off, "Slack's refusal is recorded")
        slack.answer = taken
        await line.database.execute("UPDATE webhook_deliveries SET next_attempt_at = now()")

        async def are_all_delivered() -> object:
            return await line.database.fetchval("SELECT bool_and(state = 'delivered') FROM webhook_deliveries")

        await line.until(are_all_delivered, "all is delivered")
    for body in (slack.bodies()[-1], next(b for b in teams.bodies() if "test" not in told_by(b)[0])):
        told, context = told_by(body)
        assert told == "mia@agency.example turned off MFA."
        assert context.startswith("Agency · ")
        assert "/settings/security" in json.dumps(body)
    assert [told_by(b)[0] for b in teams.bodies() if "test" in told_by(b)[0]] == [
        "This is a test of TaskJuice: alerts arrive here."
    ]
    assert all(headers["content-type"] == "application/json" for headers, _ in slack.requests + teams.requests)


async def test_what_only_a_later_version_knows_waits_for_it_and_is_no_failure(line: Line) -> None:
    async with receiving() as slack, receiving() as standard:
        hook = await channel(line, slack, Format.SLACK)
        await channel(line, standard, Format.STANDARD)
        later = await line.database.fetchval(
            "INSERT INTO events (type, account_id, data) VALUES ('OF_LATER', $1, '{}') RETURNING id",
            line.world.account_id,
        )
        await line.database.execute(
            "INSERT INTO webhook_deliveries (webhook_id, event_id) SELECT id, $1 FROM webhooks", later
        )
        await line.start("relay", "beat", "worker", webhook_allow_private="true")
        waits = "SELECT state = 'pending' AND attempts = 0 AND next_attempt_at > now() FROM webhook_deliveries "

        async def is_put_off() -> object:
            return await line.database.fetchval(waits + "WHERE webhook_id = $1", hook)

        async def is_told() -> object:
            return standard.requests

        await line.until(is_told, "who reads facts is told")
        await line.until(is_put_off, "the channel's delivery waits")
        assert slack.requests == []
        assert await line.database.fetchval("SELECT count(*) FROM webhooks WHERE failing_since IS NOT NULL") == 0
        # By then nobody is to come who knows it.
        await line.database.execute(
            "UPDATE webhook_deliveries SET next_attempt_at = now(), tried_since = now() - interval '4 days'"
        )

        async def is_delivered() -> object:
            return await line.database.fetchval("SELECT bool_and(state = 'delivered') FROM webhook_deliveries")

        await line.until(is_delivered, "it is told as what cannot be read")
    assert told_by(slack.bodies()[0])[0] == "What happened cannot be read."


def test_markup_in_what_people_chose_is_text() -> None:
    message = Message(EVIL, EVIL, "https://gatehouse.example.com/settings/security", "Open <it>")
    slack = written(Format.SLACK, message)
    assert slack["text"] == EVIL.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    section, context = slack["blocks"]
    assert context["elements"][1]["text"].endswith("|Open &lt;it&gt;>")
    assert {section["text"]["type"], context["elements"][0]["type"]} == {"plain_text"}
    card = written(Format.TEAMS, message)["attachments"][0]["content"]
    assert [block["type"] for block in card["body"]] == ["RichTextBlock"] * 2
    assert [run["type"] for block in card["body"] for run in block["inlines"]] == ["TextRun"] * 2


async def test_an_owner_adds_a_channel_and_sends_a_test(world: World) -> None:
    olive = await world.sign_in("olive")
    given = {"accountId": str(world.account_id), "url": "https://hooks.slack.com/services/T0/B0/x", "format": "SLACK"}
    added = await olive.do(ADD, input=given)
    assert added["webhook"]["format"] == "SLACK"
    assert (await olive.do(TEST, id=added["webhook"]["id"]))["__typename"] == "WebhookDeliveryQueued"
    answer = await olive.do(ADD, input=given | {"url": "https://169.254.169.254/", "format": "TEAMS"})
    assert (answer["__typename"], answer["field"]) == ("InvalidInput", "url")
