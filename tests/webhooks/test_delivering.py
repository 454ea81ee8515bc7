"""From the outbox to the endpoint: signed, in order, tried again, and never to where it may not go."""

from __future__ import annotations

import asyncio
import socket
import threading
from base64 import b64encode
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

import httpcore
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from db import outbox, webhook_deliveries, webhooks
from resolvers.webhooks import insert
from rules.clients import Client
from rules.events.mfa import MfaDisabled
from rules.sealing import KeyRing
from rules.webhooks import is_public
from settings import parse_secret_keys
from tests.client import SECRET_KEYS
from tests.line import Line
from tests.waiting import until
from tests.webhooks.receiver import Receiver, flooding, hanging, receiving, refused, reset, taken
from workers.guarded_network import ForbiddenAddressError, GuardedNetwork, Resolver, addresses_of

NOWHERE = Client(None, None)
RING = KeyRing(parse_secret_keys(SECRET_KEYS))


async def told(line: Line, url: str, *, account_id: UUID | None = None) -> tuple[UUID, str]:
    """A webhook of the agency to the URL, and its secret."""
    account_id = account_id or line.world.account_id
    webhook, secret = await insert(line.database, RING, account_id, url, ["MFA_ENABLED", "MFA_DISABLED"])
    return webhook.id, secret


async def deliveries(line: Line, webhook_id: UUID) -> list[webhook_deliveries.Delivery]:
    """Its deliveries, oldest first."""
    return (await webhook_deliveries.of_webhook(line.database, webhook_id, None, 100))[::-1]


async def until_state(line: Line, webhook_id: UUID, *states: str) -> list[webhook_deliveries.Delivery]:
    """The deliveries, once they are in these states."""

    async def holds() -> bool:
        return [each.state for each in await deliveries(line, webhook_id)] == list(states)

    await line.until(holds, f"deliveries are {states}")
    return await deliveries(line, webhook_id)


async def test_a_delivery_is_verified_by_a_library_of_others_with_both_secrets_of_a_rotation(line: Line) -> None:
    mia = await line.world.user_id("mia")
    async with receiving() as receiver:
        webhook_id, first = await told(line, receiver.url)
        second = b"s" * 32
        sealed = RING.seal(second, "webhook secret", webhook_id, b"n" * 12)
        await webhooks.rotate(line.database, webhook_id, sealed)
        await line.start("relay", "worker", webhook_allow_private="true")
        await line.happen(mia)
        await until_state(line, webhook_id, "delivered")
        (headers, body) = receiver.requests[0]
        for secret in (first, "whsec_" + b64encode(second).decode()):
            verified: Any = Webhook(secret).verify(body, headers)
            assert verified["type"] == "MFA_ENABLED"
            assert verified["data"]["subject"] == {"id": str(mia), "email": "mia@agency.example"}
        for secret in ("whsec_" + b64encode(b"o" * 32).decode(), "gh_k_" + "A" * 43):
            with pytest.raises((WebhookVerificationError, ValueError)):
                Webhook(secret).verify(body, headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(first).verify(body + b" ", headers)
        (delivery,) = await deliveries(line, webhook_id)
        assert (delivery.status, delivery.answer, delivery.error) == (200, "ok", None)


async def test_a_worker_without_the_key_leaves_a_webhook_to_one_that_has_it(line: Line) -> None:
    other = "other:" + b64encode(b"o" * 32).decode()
    async with receiving() as receiver, receiving() as others:
        webhook_id, _ = await told(line, receiver.url)
        ring = KeyRing(parse_secret_keys(other))
        theirs, _ = await insert(line.database, ring, line.world.account_id, others.url, ["MFA_ENABLED"])
        _, worker = await line.start("relay", "worker", webhook_allow_private="true", secret_keys=other)
        await line.happen(await line.world.user_id("mia"))
        await until_state(line, theirs.id, "delivered")
        (waiting,) = await deliveries(line, webhook_id)
        webhook = await webhooks.load(line.database, webhook_id)
        assert webhook is not None
        assert (waiting.state, waiting.attempts, webhook.failing_since) == ("pending", 0, None)
        worker.stop()
        await line.start("beat", "worker", webhook_allow_private="true")
        await until_state(line, webhook_id, "delivered")


async def test_endpoints_that_hang_flood_refuse_and_reset_hold_up_no_other_and_are_tried_again(line: Line) -> None:
    mia, olive = await line.world.user_id("mia"), await line.world.user_id("olive")
    async with (
        receiving() as good,
        receiving(hanging) as hangs,
        receiving(flooding) as floods,
        receiving(refused) as refuses,
        receiving(reset) as resets,
    ):
        ids = {r.url: (await told(line, r.url))[0] for r in (good, hangs, floods, refuses, resets)}
        await line.start("relay", "worker", webhook_allow_private="true")
        await line.happen(mia)
        await line.happen(olive)
        await outbox.append(line.database, MfaDisabled(subject_id=mia, actor_id=mia, client=NOWHERE))
        await until_state(line, ids[good.url], *["delivered"] * 3)
        of_mia = [b["type"] for b in good.bodies() if b["data"]["subject"]["id"] == str(mia)]
        assert of_mia == ["MFA_ENABLED", "MFA_DISABLED"]
        # the whole answer is not waited for
        assert [d.state for d in await until_state(line, ids[floods.url], *["delivered"] * 3)]
        await line.until(lambda: _tried(line, ids[refuses.url], 2), "the refusals are recorded")
        first, *_ = await deliveries(line, ids[refuses.url])
        assert (first.status, first.answer, first.state) == (500, "oops", "pending")
        refuses.answer = good.answer
        await line.database.execute("UPDATE webhook_deliveries SET next_attempt_at = now()")
        await until_state(line, ids[refuses.url], *["delivered"] * 3)
        delivered = [b["type"] for b in refuses.bodies() if b["data"]["subject"]["id"] == str(mia)]
        assert delivered[-2:] == ["MFA_ENABLED", "MFA_DISABLED"]
        ids_of_first = {headers["webhook-id"] for headers, body in refuses.requests if b"MFA_ENABLED" in body}
        assert len(ids_of_first) == 2
        await line.until(lambda: _tried(line, ids[resets.url], 2), "the resets are recorded")


async def _tried(line: Line, webhook_id: UUID, times: int) -> bool:
    tried = await line.database.fetchval(
        "SELECT count(*) FROM webhook_attempts JOIN webhook_deliveries ON id = delivery_id WHERE webhook_id = $1",
        webhook_id,
    )
    return bool(tried >= times)


async def test_of_one_of_the_platform_that_is_switched_off_the_others_are_told(line: Line) -> None:
    async with receiving(refused) as refuses, receiving() as takes:
        off, _ = await insert(line.database, RING, None, refuses.url, None)
        await insert(line.database, RING, None, takes.url, ["WEBHOOK_DISABLED"])
        since = "UPDATE webhooks SET failing_since = now() - interval '3 days 1 s' WHERE id = $1"
        await line.database.execute(since, off.id)
        await line.start("relay", "worker", webhook_allow_private="true")
        await line.happen(await line.world.user_id("mia"))
        await line.until(lambda: is_told(takes), "the other endpoint is told")
    (body,) = takes.bodies()
    assert (body["data"]["accountId"], body["data"]["facts"]["host"]) == (None, refuses.url.split("/")[2])
    assert not await webhooks.is_on(line.database, off.id)


async def is_told(receiver: Receiver) -> bool:
    return bool(receiver.requests)


async def test_an_endpoint_that_fails_for_three_days_is_switched_off_and_its_owners_are_mailed(line: Line) -> None:
    async with receiving(refused) as receiver:
        webhook_id, _ = await told(line, receiver.url)
        await line.start("relay", "worker", webhook_allow_private="true")
        await line.happen(await line.world.user_id("mia"))
        await line.until(lambda: _tried(line, webhook_id, 1), "the first failure")
        await line.database.execute("UPDATE webhooks SET failing_since = failing_since - interval '3 days'")
        await line.database.execute(
            "UPDATE webhook_deliveries SET next_attempt_at = now(), tried_since = tried_since - interval '3 days'"
        )
        await until_state(line, webhook_id, "failed")
        await line.mailbox.wait_for(2)
        assert line.mailbox.subjects("olive@agency.example") == ["A webhook of your agency was switched off"]
        webhook = await webhooks.load(line.database, webhook_id)
        assert webhook is not None
        assert webhook.disabled_at is not None
        await line.happen(await line.world.user_id("mia"))
        assert len(await deliveries(line, webhook_id)) == 1


async def test_no_private_address_is_called_by_name_by_number_or_by_redirect(line: Line) -> None:
    async def redirecting(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 307 Go\r\nlocation: {inner.url}\r\ncontent-length: 0\r\n\r\n".encode())

    async with receiving() as inner, receiving(redirecting) as outer:
        port = inner.url.split(":")[2].split("/")[0]
        hosts = ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "127.1", "2130706433"]
        ids = [(await told(line, f"http://{host}:{port}/"))[0] for host in hosts]
        (worker,) = await line.start("worker")
        await line.start("relay")
        await line.happen(await line.world.user_id("mia"))
        for webhook_id in ids:
            await line.until(partial(_tried, line, webhook_id, 1), "it is refused")
            (delivery,) = await deliveries(line, webhook_id)
            assert delivery.error == "The name leads to a private, loopback or link-local address."
            assert (delivery.status, delivery.answer) == (None, None)
        worker.stop()
        await line.start("worker", webhook_allow_private="true")
        redirected, _ = await told(line, outer.url)
        await line.database.execute("DELETE FROM webhooks WHERE id <> $1", redirected)
        await line.happen(await line.world.user_id("mia"))
        await line.until(lambda: _tried(line, redirected, 1), "the redirect is not followed")
        (delivery,) = await deliveries(line, redirected)
        assert (delivery.status, delivery.error) == (307, "The endpoint answered 307.")
        assert inner.connections == 0


async def test_a_name_that_says_another_address_later_is_connected_to_where_it_was_looked_at() -> None:
    public, private = "203.0.113.7", "127.0.0.1"
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return [public if len(asked) % 2 else private]

    async with receiving() as receiver:
        port = int(receiver.url.split(":")[2].split("/")[0])
        # 203.0.113.0/24 is documentation's and no public address either.
        with pytest.raises(ForbiddenAddressError):
            await GuardedNetwork(is_public, Resolver(rebinding)).connect_tcp("rebind.example", port)
        network = GuardedNetwork(lambda address: address == public, Resolver(rebinding))
        asked.clear()
        with pytest.raises((httpcore.ConnectError, httpcore.ConnectTimeout)):
            await network.connect_tcp("rebind.example", port, timeout=0.5)
        assert asked == ["rebind.example"]
        with pytest.raises(ForbiddenAddressError):
            await network.connect_tcp("rebind.example", port)
        assert receiver.connections == 0


async def test_names_that_never_resolve_hold_up_no_other_look_up_and_are_so_many_at_most() -> None:
    answering, answered = threading.Event(), threading.Semaphore(0)

    def hanging_look_up(host: str, port: int) -> list[str]:
        if host != "localhost":
            answering.wait()
            answered.release()
        return addresses_of(host, port)

    resolver = Resolver(hanging_look_up, most=101)
    tasks = [asyncio.create_task(resolver.addresses("hangs.invalid", 443)) for _ in range(100)]
    await asyncio.sleep(0)
    assert await resolver.addresses("localhost", 443)
    loop = asyncio.get_running_loop()
    assert await loop.getaddrinfo("localhost", 443)
    tasks.append(asyncio.create_task(resolver.addresses("hangs.invalid", 443)))
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    with pytest.raises(httpcore.ConnectError, match="Too many"):  # whoever has turned away has a thread all the same
        await resolver.addresses("localhost", 443)
    answering.set()
    for _ in tasks:
        await asyncio.to_thread(answered.acquire)

    async def has_room() -> bool:
        with suppress(httpcore.ConnectError):
            return bool(await resolver.addresses("localhost", 443))
        return False

    await until(has_room, "there is room again")


async def test_a_name_without_an_address_is_told_as_such() -> None:
    with pytest.raises(socket.gaierror):
        await Resolver(addresses_of).addresses("nothing.invalid", 443)


async def test_what_a_dead_worker_has_claimed_is_delivered_by_another(line: Line) -> None:
    async with receiving(hanging) as receiver:
        webhook_id, _ = await told(line, receiver.url)
        (worker,) = await line.start("worker", webhook_allow_private="true")
        await line.start("relay", "beat")
        await line.happen(await line.world.user_id("mia"))
        await line.until(lambda: _connected(receiver), "the endpoint is called")
        worker.kill()
        receiver.answer = taken
        await line.database.execute("UPDATE webhook_deliveries SET claimed_at = claimed_at - interval '61 s'")
        await line.start("worker", webhook_allow_private="true")
        (delivery,) = await until_state(line, webhook_id, "delivered")
        assert delivery.attempts == 2


async def _connected(receiver: Receiver) -> bool:
    return bool(receiver.requests)
