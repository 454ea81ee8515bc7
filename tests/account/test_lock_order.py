"""Whatever ends several things at once takes them in one order, so that two who do so never wait for each other."""

from __future__ import annotations

import asyncio
from uuid import UUID

import asyncpg

import db.resets
from tests.databases import until_waiting
from tests.people import World

FIRST, LAST = UUID(int=1), UUID(int=2**128 - 1)


async def test_resets_that_have_run_out_are_ended_in_one_order(cast: World, database_url: str) -> None:
    for request_id, name in ((LAST, "mia"), (FIRST, "adam")):  # so do they lie there
        await cast.database.execute(
            "INSERT INTO reset_requests (id, account_id, user_id, requester_id, expires_at) "
            "VALUES ($1, $2, $3, $4, now())",
            request_id,
            cast.account_id,
            await cast.user_id(name),
            await cast.user_id("olive"),
        )
    holder, sweeper = [await asyncpg.connect(database_url) for _ in range(2)]
    held = holder.transaction()
    await held.start()
    await holder.execute("SELECT FROM reset_requests WHERE id = $1 FOR UPDATE", FIRST)
    ending = asyncio.create_task(db.resets.expire(sweeper))
    await until_waiting(cast.database)
    await cast.database.execute("SELECT FROM reset_requests WHERE id = $1 FOR UPDATE NOWAIT", LAST)
    await held.commit()
    assert {each.user_id for each in await ending} == {await cast.user_id(name) for name in ("adam", "mia")}
    for connection in (holder, sweeper):
        await connection.close()
