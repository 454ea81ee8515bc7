"""What a member's row says of their MFA is what their factor and their person say, whoever came first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import db.backup_codes
import db.factors
import db.lock_out
from db.pool import Connection
from rules.sealed import Sealed
from tests.databases import until_waiting
from tests.parts import Process, environment
from tests.people import make_world

BACKFILLS = [201, 202, 211]
CHANGES = ["enable", "replace", "spend", "save", "remove", "join", "invite", "come", "leave"]
OTHERS_STAFF = (
    "INSERT INTO staff (account_id, user_id, email, role) SELECT $1, id, email, 'MEMBER' FROM users WHERE id = $2"
)


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
    await until_waiting(database)
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
        await until_waiting(database)
    assert await migrating.wait() == 0
    assert (await told(database, olive), await told(database, mia)) == ({(True, False)}, {(False, True)})
    assert await database.fetchval("SELECT count(*) FROM migrations WHERE number = ANY ($1)", BACKFILLS) == 3
    await holder.close()


CODES = """
SELECT codes_left, codes_unsaved, CASE WHEN invited_at IS NULL AND factors.user_id IS NOT NULL
        THEN (SELECT count(*) FROM backup_codes WHERE user_id = staff.user_id) END AS remaining,
    invited_at IS NULL AND codes_shown_at IS NOT NULL AND codes_saved_at IS NULL
        AND NOT EXISTS (SELECT FROM spent_backup_codes AS spent WHERE spent.user_id = staff.user_id) AS are_unsaved
FROM staff LEFT JOIN factors ON factors.user_id = staff.user_id
"""


async def change(database: Connection, account_ids: list[UUID], person: UUID, what: str, which: int) -> None:
    """One change of the person's codes or roles, as the product's own statements make it."""
    account_id = account_ids[which % 2]
    match what:
        case "enable":
            await enable(database, person)
        case "replace" if await db.factors.exists(database, person):
            digests = [uuid4().bytes * 2 for _ in range(10)]
            await db.backup_codes.replace(database, person, digests, bytes(16), "k")
        case "spend":
            left = await database.fetch("SELECT digest FROM backup_codes WHERE user_id = $1 LIMIT $2", person, which)
            await db.backup_codes.spend(database, person, left[-1]["digest"] if left else bytes(32))
        case "save":
            await db.lock_out.save_codes(database, person)
        case "remove":
            await db.factors.remove(database, person)
        case "join" | "invite":
            await database.execute(f"{OTHERS_STAFF} ON CONFLICT DO NOTHING", account_id, person)
            if what == "invite":
                await database.execute("UPDATE staff SET invited_at = now() WHERE account_id = $1", account_id)
        case "come":
            await database.execute("UPDATE staff SET invited_at = NULL WHERE account_id = $1", account_id)
        case "leave":
            await database.execute("DELETE FROM staff WHERE account_id = $1", account_id)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(CHANGES), st.integers(0, 3)), max_size=25))
async def test_how_many_codes_are_left_is_told_after_whatever_happens_to_them(
    database: asyncpg.Connection[asyncpg.Record], steps: list[tuple[str, int]]
) -> None:
    await database.execute("DELETE FROM accounts")
    person = await database.fetchval(
        "INSERT INTO users (email) VALUES (gen_random_uuid() || '@crowd.example') RETURNING id"
    )
    made = await database.fetch("INSERT INTO accounts (name) VALUES ('One'), ('Two') RETURNING id")
    for what, which in steps:
        await change(database, [row["id"] for row in made], person, what, which)
        for row in await database.fetch(CODES):
            assert (row["codes_left"], row["codes_unsaved"]) == (row["remaining"], row["are_unsaved"])


async def test_an_upgrade_tells_of_codes_from_before_it(
    database_url: str, database: asyncpg.Connection[asyncpg.Record], gatehouse: Callable[..., Process]
) -> None:
    await make_world("", database)
    for name, number in (("olive", 10), ("mia", 2)):
        person = await user_id(database, name)
        await enable(database, person)
        await db.backup_codes.replace(database, person, [bytes([n]) * 32 for n in range(number)], bytes(16), "k")
    await database.execute("UPDATE staff SET codes_left = NULL, codes_unsaved = false")
    await database.execute("DELETE FROM migrations WHERE number = ANY ($1)", BACKFILLS)
    assert await gatehouse("migrate", env=environment(database_url=database_url)).wait() == 0
    rows = await database.fetch(CODES)
    assert [(row["codes_left"], row["codes_unsaved"]) for row in rows] == [
        (row["remaining"], row["are_unsaved"]) for row in rows
    ]
    assert {row["codes_left"] for row in rows} == {10, 2, None}
