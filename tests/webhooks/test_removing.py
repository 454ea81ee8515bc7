"""Removing an endpoint takes effect at once and holds up nobody; what was written for it goes in steps, unseen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import pytest

import db.digests
import db.figures
import db.keys
from db import outbox, webhook_deliveries, webhook_sending, webhooks
from resolvers.webhooks import insert
from rules.events.policy import PolicyDisabled
from rules.sealing import KeyRing
from rules.webhooks import MOST_WEBHOOKS
from settings import parse_secret_keys
from tests.client import SECRET_KEYS, settings_for
from tests.commands import Command, command
from tests.people import World
from tests.statements import released
from tests.webhooks.operations import ADD, ENABLE, REMOVE, RESEND, ROTATE, TEST, WEBHOOK, WEBHOOKS
from workers.pruning import prune
from workers.runtime import Runtime

URL = "https://hooks.example.com/"
RING = KeyRing(parse_secret_keys(SECRET_KEYS))


async def hooked(world: World, account_id: UUID | None) -> str:
    """An endpoint's id."""
    return str((await insert(world.database, RING, account_id, URL, None))[0].id)


@asynccontextmanager
async def under_way(database_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A transaction of somebody else, committed at the end."""
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            yield connection
    finally:
        await connection.close()


async def count(world: World, table: str) -> int:
    """How many rows it has."""
    rows: int = await world.database.fetchval(f"SELECT count(*) FROM {table}")
    return rows


async def test_one_is_removed_while_an_event_is_under_way_and_holds_up_none_itself(
    world: World, operate: Command, database_url: str
) -> None:
    hook, platforms = await hooked(world, world.account_id), await hooked(world, None)
    olive = await world.sign_in("olive")
    async with under_way(database_url) as late:
        await late.execute("INSERT INTO events (type, account_id) VALUES ('POLICY_DISABLED', $1)", world.account_id)
        await late.execute("INSERT INTO account_events SELECT $1, max(id) FROM events", world.account_id)
        assert (await olive.do(REMOVE, id=hook))["__typename"] == "WebhookRemoved"
        assert operate("webhooks", "remove", platforms).stdout == "The webhook to hooks.example.com is removed.\n"
    another = UUID(await hooked(world, world.account_id))
    async with under_way(database_url) as remover:
        assert await webhooks.remove(remover, another)
        # What the foreign key of a delivery asks for.
        assert len(await world.database.fetch("SELECT FROM webhooks FOR KEY SHARE NOWAIT")) == 3
    assert await webhook_sending.claim(world.database, 100, [*RING.keys]) == []


async def test_to_nobody_is_a_removed_one_there(world: World, operate: Command, database_url: str) -> None:
    olive = await world.sign_in("olive")
    hook, platforms = await hooked(world, world.account_id), await hooked(world, None)
    delivery = (await olive.do(TEST, id=hook))["delivery"]["id"]
    await world.database.execute("UPDATE webhook_deliveries SET state = 'failed'")
    await world.database.execute("UPDATE webhooks SET failing_since = now()")
    await olive.do(REMOVE, id=hook)
    operate("webhooks", "remove", platforms)
    assert await olive.do(WEBHOOKS, account=str(world.account_id)) == {"webhooks": []}
    for operation in (WEBHOOK, ENABLE, ROTATE, TEST, REMOVE):
        assert await olive.refusal(operation, id=hook) == "NOT_FOUND"
    assert await olive.refusal(RESEND, id=delivery) == "NOT_FOUND"
    assert operate("webhooks", "list").stdout == ""
    for name in ("enable", "test", "resend", "remove"):
        assert "There is no webhook with the id" in operate("webhooks", name, platforms).stderr
    assert not await webhooks.enable(world.database, UUID(hook))
    assert await db.figures.webhooks(world.database) == []
    assert [each.webhooks for each in await db.keys.usage(world.database)] == []
    digests = await db.digests.claim(world.database, await world.database.fetchval("SELECT now()"))
    assert {each.account_id: each.failing_webhook_count for each in digests}[world.account_id] == 0
    newer = command("keys", "reseal", database_url=database_url, secret_keys=f"new:{'b' * 43}=,{SECRET_KEYS}")
    assert newer.returncode == 0, newer.stderr
    assert {row[0] for row in await world.database.fetch("SELECT secret_key_id FROM webhooks")} == {*RING.keys}


async def test_a_removed_one_takes_no_place_of_another(world: World) -> None:
    olive = await world.sign_in("olive")
    hooks = [await hooked(world, world.account_id) for _ in range(MOST_WEBHOOKS)]
    given = {"accountId": str(world.account_id), "url": URL}
    assert (await olive.do(ADD, input=given))["__typename"] == "InvalidInput"
    await olive.do(REMOVE, id=hooks[0])
    assert (await olive.do(ADD, input=given))["__typename"] == "WebhookAdded"


async def test_the_version_before_cannot_switch_a_removed_one_on(world: World) -> None:
    hook = UUID(await hooked(world, world.account_id))
    await webhooks.remove(world.database, hook)
    (enable,) = [text for place, text in released() if place == "webhooks.py: enable"]
    with pytest.raises(asyncpg.CheckViolationError):
        await world.database.execute(enable, hook)
    await outbox.append(world.database, PolicyDisabled(account_id=world.account_id))
    assert await count(world, "webhook_deliveries") == 0


async def test_what_was_written_for_a_removed_one_goes_in_steps_and_the_endpoint_last(
    world: World, database_url: str
) -> None:
    removed, kept = UUID(await hooked(world, None)), UUID(await hooked(world, None))
    for hook, many in ((removed, webhook_deliveries.BATCH + 1), (kept, 1)):
        await world.database.execute(
            "INSERT INTO webhook_deliveries (webhook_id) SELECT $1 FROM generate_series(1, $2::int)", hook, many
        )
    await world.database.execute(
        "INSERT INTO webhook_attempts (delivery_id, duration_ms) SELECT id, 1 FROM webhook_deliveries"
    )
    await world.database.execute(
        "UPDATE webhook_deliveries SET state = 'sending', claimed_at = now() WHERE id = (SELECT min(id) FROM "
        "webhook_deliveries)"
    )
    await webhooks.remove(world.database, removed)
    await world.database.execute("UPDATE webhooks SET removed_at = now() - interval '1 day' WHERE id = $1", removed)
    settings = settings_for(database_url)
    pool = await Runtime(settings).database()
    await prune(pool, settings)
    assert [await count(world, f"webhook_{each}") for each in ("deliveries", "attempts")] == [2, 2]
    assert await count(world, "webhooks") == 2
    await world.database.execute("UPDATE webhook_deliveries SET state = 'pending' WHERE webhook_id = $1", removed)
    await prune(pool, settings)
    assert [row["webhook_id"] for row in await world.database.fetch("SELECT webhook_id FROM webhook_deliveries")] == [
        kept
    ]
    assert [row["id"] for row in await world.database.fetch("SELECT id FROM webhooks")] == [kept]
    await pool.close()


async def test_an_endpoint_stays_while_an_event_of_before_may_still_be_written_for_it(
    world: World, database_url: str
) -> None:
    hook = UUID(await hooked(world, None))
    async with under_way(database_url) as late:
        await late.execute("INSERT INTO webhook_deliveries (webhook_id) VALUES ($1)", hook)
        await webhooks.remove(world.database, hook)
        await webhooks.prune(world.database)
        assert await count(world, "webhooks") == 1
        await world.database.execute("UPDATE webhooks SET removed_at = now() - interval '1 day'")
        await webhooks.prune(world.database)
        assert await count(world, "webhooks") == 1
    assert await webhook_deliveries.prune_removed(world.database) == 1
    await webhooks.prune(world.database)
    assert await count(world, "webhooks") == 0
