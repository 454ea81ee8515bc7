"""One delivery at a time, made in this process: npm's verifier reads it, it is sent again, a dripping one is left."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpcore

from db import outbox, webhook_sending
from resolvers.webhooks import insert
from rules.clients import Client
from rules.events.mfa import MfaEnabled
from rules.sealing import KeyRing
from settings import parse_secret_keys
from tests.client import SECRET_KEYS, settings_for
from tests.people import World
from tests.transport.node import installed
from tests.webhooks.operations import RESEND, WEBHOOK
from tests.webhooks.receiver import receiving
from workers.runtime import Runtime
from workers.webhooks import ATTEMPT_S, AttemptResult, Pump

SCRIPTS = Path(__file__).parent / "verifier"
Deliver = Callable[[], Awaitable[list[AttemptResult]]]


@asynccontextmanager
async def delivery(world: World, url: str, attempt_s: float = ATTEMPT_S) -> AsyncIterator[tuple[Deliver, str, str]]:
    """A webhook of the agency with one event for it, what delivers it, its id and its secret."""
    ring = KeyRing(parse_secret_keys(SECRET_KEYS))
    webhook, secret = await insert(world.database, ring, world.account_id, url, None)
    mia = await world.user_id("mia")
    await outbox.append(world.database, MfaEnabled(subject_id=mia, actor_id=mia, client=Client(None, None)))
    pump = Pump(Runtime(settings_for("", webhook_allow_private=True)), attempt_s)

    async def deliver() -> list[AttemptResult]:
        outcomes = []
        for claimed in await webhook_sending.claim(world.database, 10, [*ring.keys]):
            outcomes.append(await pump._send(pool, claimed))
            told = outcomes[-1]
            await webhook_sending.record(world.database, claimed, 1, told.status, told.answer, told.error, None)
        return outcomes

    async with httpcore.AsyncConnectionPool() as pool:
        yield deliver, str(webhook.id), secret


async def test_npms_standardwebhooks_verifies_what_is_sent_and_nothing_else(world: World, tmp_path: Path) -> None:
    async with receiving() as receiver, delivery(world, receiver.url) as (deliver, _, secret):
        assert await deliver() == [AttemptResult(200, "ok")]
    headers, body = receiver.requests[0]
    message = {"secret": secret, "headers": headers, "body": body.decode()}
    other = "whsec_" + "b3RoZXJvdGhlcm90aGVyb3RoZXI="
    given = [
        message,
        message | {"body": f"{body.decode()} "},
        message | {"secret": other},
        message | {"headers": headers | {"webhook-id": "msg_0"}},
        message | {"headers": headers | {"webhook-timestamp": "1"}},
    ]
    (tmp_path / "messages.json").write_text(json.dumps(given))
    node = await installed(tmp_path / "verifier", SCRIPTS)
    verified, *others = await node.run("verify.js", str(tmp_path / "messages.json"))
    assert verified["verified"]["type"] == "MFA_ENABLED"
    assert verified["verified"]["data"]["subject"]["email"] == "mia@agency.example"
    assert [sorted(each) for each in others] == [["error"]] * 4


async def test_an_owner_has_a_delivery_sent_again_under_its_id_and_nobody_else_has(world: World) -> None:
    olive, adam, sam = [await world.sign_in(name) for name in ("olive", "adam", "sam")]
    async with receiving() as receiver, delivery(world, receiver.url) as (deliver, webhook_id, _):
        await deliver()
        (sent,) = (await olive.ask(WEBHOOK, id=webhook_id))["webhook"]["deliveries"]
        for other in (adam, sam):
            assert "WebhookDeliveryQueued" not in str(await other.raw(RESEND, id=sent["id"]))
        assert await deliver() == []
        queued = await olive.do(RESEND, id=sent["id"])
        assert queued["delivery"] == {"id": sent["id"], "state": "pending"}
        assert await deliver() == [AttemptResult(200, "ok")]
    assert len({headers["webhook-id"] for headers, _ in receiver.requests}) == 1
    assert len(receiver.requests) == 2
    assert receiver.requests[0][1] == receiver.requests[1][1]
    (again,) = (await olive.ask(WEBHOOK, id=webhook_id))["webhook"]["deliveries"]
    assert (again["state"], len(again["attempts"])) == ("delivered", 2)


async def test_an_endpoint_that_drips_is_left_when_its_time_is_over(
    world: World,
) -> None:
    async def dripping(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    async def dripping_head(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"x: y\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    for answer in (dripping, dripping_head):
        async with receiving(answer) as receiver, delivery(world, receiver.url, 0.3) as (deliver, webhook_id, _):
            outcomes = await deliver()
            assert outcomes[-1] == AttemptResult(error="No whole answer within 0 seconds.")
        await world.database.execute("DELETE FROM webhooks WHERE id = $1", webhook_id)
