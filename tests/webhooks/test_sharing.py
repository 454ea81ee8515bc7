"""The places in which webhooks are sent are shared between accounts, whatever the endpoints of one do."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import asyncpg

from db import webhook_deliveries, webhook_sending, webhooks
from db.webhook_sending import AT_ONCE, AT_ONCE_OF_ACCOUNT, AT_ONCE_OF_FAILING
from resolvers.webhooks import insert
from rules.sealing import KeyRing
from rules.webhooks import MOST_WEBHOOKS
from settings import parse_secret_keys
from tests.client import SECRET_KEYS, settings_for
from tests.explained import Explained
from tests.people import World
from workers.pruning import prune
from workers.runtime import Runtime
from workers.webhooks import MOST_AT_ONCE, Pump

RING = KeyRing(parse_secret_keys(SECRET_KEYS))


async def due(world: World, account_id: UUID, endpoints: int, each: int) -> set[UUID]:
    """Endpoints of an account, with so many deliveries due at each."""
    ids = {(await insert(world.database, RING, account_id, "http://192.0.2.1/", None))[0].id for _ in range(endpoints)}
    await world.database.execute(
        "INSERT INTO webhook_deliveries (webhook_id) SELECT unnest($1::uuid[]) FROM generate_series(1, $2::int)",
        list(ids),
        each,
    )
    return ids


async def another(world: World) -> UUID:
    """Another account."""
    account_id: UUID = await world.database.fetchval("INSERT INTO accounts (name) VALUES ('Other') RETURNING id")
    return account_id


async def claimed(world: World, limit: int, *whose: set[UUID]) -> list[int]:
    """How many deliveries one claim gets of each."""
    found = Counter(each.webhook_id for each in await webhook_sending.claim(world.database, limit, [*RING.keys]))
    return [sum(found[each] for each in ids) for ids in whose]


async def test_all_endpoints_of_one_account_together_leave_most_places_to_others(world: World) -> None:
    hanging = await due(world, world.account_id, MOST_WEBHOOKS, 50)
    assert await claimed(world, MOST_AT_ONCE, hanging) == [AT_ONCE_OF_ACCOUNT]
    assert await claimed(world, MOST_AT_ONCE, hanging) == [0]
    other = await due(world, await another(world), 1, 5)
    assert await claimed(world, MOST_AT_ONCE, hanging, other) == [0, 5]


async def test_of_the_places_that_are_left_an_account_with_few_under_way_gets_the_first(world: World) -> None:
    many = await due(world, world.account_id, MOST_WEBHOOKS, 50)
    assert await claimed(world, 10, many) == [10]
    few = await due(world, await another(world), 1, 5)
    assert await claimed(world, 5, many, few) == [0, 5]
    assert await claimed(world, 5, many, few) == [5, 0]


async def test_an_endpoint_that_fails_has_few_places_until_it_answers_again(world: World) -> None:
    ids = await due(world, world.account_id, 1, 50)
    await world.database.execute("UPDATE webhooks SET failing_since = now()")
    assert await claimed(world, MOST_AT_ONCE, ids) == [AT_ONCE_OF_FAILING]
    await world.database.execute("UPDATE webhooks SET failing_since = NULL")
    assert await claimed(world, MOST_AT_ONCE, ids) == [AT_ONCE - AT_ONCE_OF_FAILING]


async def test_of_many_that_fell_due_in_one_moment_a_claim_looks_at_few(world: World) -> None:
    (hook,) = await due(world, world.account_id, 1, 1)
    await world.database.execute(
        "INSERT INTO webhook_deliveries (webhook_id, subject_id) SELECT $1, gen_random_uuid() "
        "FROM generate_series(1, 100000)",
        hook,
    )
    await world.database.execute("ANALYZE webhook_deliveries")
    explained = Explained(world.database)
    await webhook_sending.claim(explained, MOST_AT_ONCE, [*RING.keys])  # type: ignore[arg-type]
    assert 0 < max(explained.rows) <= MOST_AT_ONCE


async def test_one_that_fails_too_long_is_off_though_not_all_that_waits_can_be_ended_now(
    world: World, database_url: str
) -> None:
    await due(world, world.account_id, 1, 4)
    await world.database.execute("UPDATE webhooks SET failing_since = now() - interval '4 days'")
    (claimed, *_) = await webhook_sending.claim(world.database, 1, [*RING.keys])
    await webhook_sending.record(world.database, claimed, 1, 500, "", "The endpoint answered 500.", None)
    settings = settings_for(database_url)
    runtime, holder = Runtime(settings), await asyncpg.connect(database_url)
    async with holder.transaction():
        await holder.fetch("SELECT FROM webhook_deliveries WHERE state = 'pending' LIMIT 1 FOR UPDATE")
        await Pump(runtime)._switch_off(claimed)
        assert await world.database.fetchval("SELECT disabled_at IS NOT NULL FROM webhooks")
        assert await ended(world) == 3
    await holder.close()
    pool = await runtime.database()
    await prune(pool, settings)
    assert await ended(world) == 4
    await pool.close()


async def test_what_an_endpoint_takes_while_it_is_switched_off_has_not_failed(world: World) -> None:
    (hook,) = await due(world, world.account_id, 1, 2)
    await world.database.execute("UPDATE webhooks SET failing_since = now() - interval '4 days'")
    (claimed,) = await webhook_sending.claim(world.database, 1, [*RING.keys])
    assert await webhooks.switch_off(world.database, hook)
    assert await webhook_deliveries.give_up(world.database) == 1
    await webhook_sending.record(world.database, claimed, 1, 200, "ok", None, None)
    states = await world.database.fetch("SELECT state FROM webhook_deliveries ORDER BY id")
    assert [row["state"] for row in states] == ["delivered", "failed"]


async def ended(world: World) -> int:
    """How many deliveries have failed for good."""
    count: int = await world.database.fetchval("SELECT count(*) FROM webhook_deliveries WHERE state = 'failed'")
    return count
