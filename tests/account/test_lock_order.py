"""Whatever ends several things at once takes them in one order, so that two who do so never wait for each other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

import db.deliveries
import db.delivery_outcomes
import db.memberships
import db.resets
import db.users
import resolvers.operators.standing
from db.pool import Connection, Database
from resolvers.operators.standing import Wanted
from rules.standing import ExceptionKind
from tests.databases import until_waiting
from tests.people import World, email
from tests.reminders.cast import pool

__all__ = ["pool"]

FIRST, LAST = UUID(int=1), UUID(int=2**128 - 1)
CLAIM = UUID(int=7)


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


async def test_an_import_holds_known_people_in_the_order_of_their_ids_and_writes_no_row_of_theirs(
    cast: World, database_url: str
) -> None:
    known = {LAST: "a@known.example", FIRST: "b@known.example"}
    for user_id, address in known.items():
        await cast.database.execute("INSERT INTO users (id, email) VALUES ($1, $2)", user_id, address)
    versions = "SELECT xmin::text FROM users ORDER BY id"
    before = await cast.database.fetch(versions)
    holder, importer = [await asyncpg.connect(database_url) for _ in range(2)]
    held = holder.transaction()
    await held.start()
    await holder.execute("SELECT FROM users WHERE id = $1 FOR UPDATE", FIRST)
    emails, roles = sorted(known.values()), ["MEMBER"] * 2
    importing = asyncio.create_task(
        db.memberships.add_many(importer, cast.account_id, emails, roles, [None] * 2, False, timedelta(days=7))
    )
    await until_waiting(cast.database)
    await cast.database.execute("SELECT FROM users WHERE id = $1 FOR UPDATE NOWAIT", LAST)
    await held.rollback()
    assert {(each.user_id, each.is_new) for each in await importing} == {(FIRST, False), (LAST, False)}
    assert await cast.database.fetch(versions) == before
    for connection in (holder, importer):
        await connection.close()


async def test_an_exception_by_an_operator_holds_people_before_memberships(
    cast: World, pool: Database, database_url: str
) -> None:
    holder = await asyncpg.connect(database_url)
    held = holder.transaction()
    await held.start()
    await db.users.lock_whole(holder, await cast.user_id("mia"))
    until = datetime.now(UTC) + timedelta(days=2)
    wanted = Wanted(ExceptionKind.EXTENDED, (email("adam"), email("mia")), until, "Phone lost")
    giving = asyncio.create_task(resolvers.operators.standing.give(pool, cast.account_id, wanted))
    await until_waiting(cast.database)
    await cast.database.execute("SELECT FROM staff WHERE email = $1 FOR NO KEY UPDATE NOWAIT", email("mia"))
    await held.commit()
    assert [each.email for each in await giving] == [email("adam"), email("mia")]
    await holder.close()


async def give_back(connection: Connection) -> None:
    """Claim what is to be dropped, and let those be reminded again."""
    await connection.execute("UPDATE deliveries SET state = 'pending', claim_id = NULL, expires_at = now()")
    await db.deliveries.claim(connection, "bulk", CLAIM, 100, 24)


async def fail(connection: Connection) -> None:
    """Let what is being sent have failed, and show it on the roster."""
    await db.delivery_outcomes.fail(connection, CLAIM, [1, 2], "550 5.1.1 No such user")


async def renew(connection: Connection) -> None:
    """Keep what is being sent."""
    await db.deliveries.renew(connection, CLAIM)


@pytest.mark.parametrize(("mark", "table"), [(give_back, "staff"), (fail, "staff"), (renew, "deliveries")])
async def test_what_becomes_of_many_mails_is_marked_in_one_order(
    cast: World,
    database_url: str,
    mark: Callable[[Connection], Coroutine[None, None, None]],
    table: str,
) -> None:
    for delivery_id, staff_id, name in ((2, LAST, "mia"), (1, FIRST, "adam")):  # so do they lie there
        await cast.database.execute(
            """
            WITH reminded AS (
                UPDATE staff SET id = $2, reminder_claimed_at = now() - interval '1 day' WHERE email = $3
                RETURNING account_id, user_id, email
            ), event AS (
                INSERT INTO events (type, account_id, subject_id)
                SELECT 'GRACE_REMINDER_SENT', account_id, user_id FROM reminded RETURNING id
            )
            INSERT INTO deliveries (id, event_id, user_id, email, message, queue, state, claim_id, claimed_at)
            OVERRIDING SYSTEM VALUE
            SELECT $1, event.id, user_id, email, 'grace_reminder', 'bulk', 'sending', $4, now() FROM reminded, event
            """,
            delivery_id,
            staff_id,
            email(name),
            CLAIM,
        )
    await cast.database.execute("UPDATE events SET dispatched_at = now()")
    first, last = (FIRST, LAST) if table == "staff" else (1, 2)
    holder, marker = [await asyncpg.connect(database_url) for _ in range(2)]
    held = holder.transaction()
    await held.start()
    await holder.execute(f"SELECT FROM {table} WHERE id = $1 FOR UPDATE", first)
    marking = asyncio.create_task(mark(marker))
    await until_waiting(cast.database)
    await cast.database.execute(f"SELECT FROM {table} WHERE id = $1 FOR UPDATE NOWAIT", last)
    await held.commit()
    await marking
    for connection in (holder, marker):
        await connection.close()
