"""What a member's row says of their MFA is what their factor and their person say, whoever came first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

import asyncpg
import pytest

import db.factors
from db.pool import Connection
from rules.sealing import Sealed
from tests.parts import Process, environment
from tests.people import make_world
from tests.waiting import until

BACKFILLS = [201, 202]
OTHERS_STAFF = (
    "INSERT INTO staff (account_id, user_id, email, role) SELECT $1, id, email, 'MEMBER' FROM users WHERE id = $2"
)

WAITS = "SELECT true FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' LIMIT 1"


async def enable(connection: Connection, user_id: UUID) -> None:
    """Turn MFA on, as enrolling does it."""
    await db.factors.enable(connection, user_id, Sealed(b"x", "k"), 1, bytes(16), "k")


async def user_id(database: Connection, name: str) -> UUID:
    """Who that is."""
    found: UUID = await database.fetchval("SELECT id FROM users WHERE email LIKE $1", f"{name}@%")
    return found


async def told(database: Connection, user_id: UUID) -> set[tuple[bool, bool]]:
    """What the person's rows say: whether they are enrolled, and reset."""
    rows = await database.fetch("SELECT has_mfa, was_reset FROM staff WHERE user_id = $1", user_id)
    return {(row["has_mfa"], row["was_reset"]) for row in rows}


@pytest.mark.parametrize("joins_first", [True, False])
@pytest.mark.parametrize("was_enrolled", [True, False])
async def test_whoever_joins_while_enrolling_or_turning_mfa_off_is_told_of_as_they_are(
    database_url: str, database: asyncpg.Connection[asyncpg.Record], *, joins_first: bool, was_enrolled: bool
) -> None:
    world = await make_world("", database)
    mia = await user_id(database, "mia")
    if was_enrolled:
        await enable(database, mia)

    async def join(connection: Connection) -> None:
        await connection.execute(OTHERS_STAFF, world.other_account_id, mia)

    async def change(connection: Connection) -> None:
        await connection.execute("SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE", mia)
        await (db.factors.remove(connection, mia) if was_enrolled else enable(connection, mia))

    first, second = [await asyncpg.connect(database_url) for _ in range(2)]
    transaction = first.transaction()
    await transaction.start()
    await (join if joins_first else change)(first)
    waiting = asyncio.create_task((change if joins_first else join)(second))
    await until(lambda: database.fetchval(WAITS), "one of them waits")
    await transaction.commit()
    await waiting
    assert await told(database, mia) == {(not was_enrolled, False)}
    for connection in (first, second):
        await connection.close()


async def test_of_an_open_invitation_nothing_is_told_until_the_person_has_come(
    database: asyncpg.Connection[asyncpg.Record],
) -> None:
    world = await make_world("", database)
    sam = await user_id(database, "sam")
    await database.execute(OTHERS_STAFF, world.account_id, sam)
    await database.execute(
        "UPDATE staff SET invited_at = now() WHERE account_id = $1 AND user_id = $2", world.account_id, sam
    )
    await enable(database, sam)
    assert await told(database, sam) == {(True, False), (False, False)}
    await database.execute("UPDATE staff SET invited_at = NULL WHERE user_id = $1", sam)
    assert await told(database, sam) == {(True, False)}


async def test_a_reset_is_told_until_the_next_enrollment(database: asyncpg.Connection[asyncpg.Record]) -> None:
    await make_world("", database)
    mia = await user_id(database, "mia")
    await database.execute("UPDATE users SET reenrollment_required_at = now() WHERE id = $1", mia)
    assert await told(database, mia) == {(False, True)}
    await enable(database, mia)
    assert await told(database, mia) == {(True, False)}


async def test_an_upgrade_tells_of_those_who_were_enrolled_or_reset_before_it(
    database_url: str, database: asyncpg.Connection[asyncpg.Record], gatehouse: Callable[..., Process]
) -> None:
    await make_world("", database)
    olive, mia = await user_id(database, "olive"), await user_id(database, "mia")
    await enable(database, olive)
    await database.execute("UPDATE users SET reenrollment_required_at = now() WHERE id = $1", mia)
    await database.execute("UPDATE staff SET has_mfa = false, was_reset = false")
    await database.execute("DELETE FROM migrations WHERE number = ANY ($1)", BACKFILLS)
    holder = await asyncpg.connect(database_url)
    async with holder.transaction():
        await holder.execute("SELECT FROM factors WHERE user_id = $1 FOR UPDATE", olive)
        migrating = gatehouse("migrate", env=environment(database_url=database_url))
        await until(lambda: database.fetchval(WAITS), "the migration waits for whoever is at work")
    assert await migrating.wait() == 0
    assert (await told(database, olive), await told(database, mia)) == ({(True, False)}, {(False, True)})
    assert await database.fetchval("SELECT count(*) FROM migrations WHERE number = ANY ($1)", BACKFILLS) == 2
    await holder.close()
