"""Whoever arrives at a sign-in is seen as they are when nobody else can change them."""

from __future__ import annotations

import asyncio
from uuid import UUID

import asyncpg
import pytest

import db.challenges
import db.factors
import db.sign_in
import db.users
from db.sign_in import Arrival
from rules.clients import Client
from rules.sealed import Sealed
from rules.throttling import STRANGERS
from tests.people import make_world
from tests.waiting import until

WAITS = "SELECT true FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' LIMIT 1"
SET = "UPDATE users SET password_hash = $2 WHERE id = $1"


@pytest.mark.parametrize("change", ["enable", "set a password", "use the challenge", "none"])
async def test_what_was_committed_while_the_lock_was_waited_for_is_seen(
    database_url: str, database: asyncpg.Connection[asyncpg.Record], change: str
) -> None:
    await make_world("", database)
    mia: UUID = await database.fetchval("SELECT id FROM users WHERE email LIKE 'mia@%'")
    await database.execute(SET, mia, "old")
    await db.challenges.open_challenge(database, mia, bytes(32), False, ["pwd"], Client(None, None), None, STRANGERS)
    challenge_id: UUID = await database.fetchval("SELECT id FROM challenges")
    first, second = [await asyncpg.connect(database_url) for _ in range(2)]

    async def arrive() -> Arrival | None:
        if change == "use the challenge":
            return await db.sign_in.answer(second, mia, challenge_id)
        return await db.sign_in.arrive(second, mia, "old")

    async with first.transaction():
        await first.execute("SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE", mia)
        waiting = asyncio.create_task(arrive())
        await until(lambda: database.fetchval(WAITS), "it waits")
        if change == "enable":
            await db.factors.enable(first, mia, Sealed(b"x", "k"), 7, bytes(16), "k")
        elif change == "set a password":
            await first.execute(SET, mia, "new")
        elif change == "use the challenge":
            await db.challenges.drop_all(first, mia)
    arrived = await waiting
    seen = None if arrived is None else arrived.factor and arrived.factor.last_step
    assert (arrived is None, seen) == (change in {"set a password", "use the challenge"}, {"enable": 7}.get(change))
    for connection in (first, second):
        await connection.close()


async def test_a_password_is_set_after_whatever_came_in_while_its_lock_was_waited_for(
    database_url: str, database: asyncpg.Connection[asyncpg.Record]
) -> None:
    await make_world("", database)
    mia: UUID = await database.fetchval("SELECT id FROM users WHERE email LIKE 'mia@%'")
    waiting = await asyncpg.connect(database_url)
    async with waiting.transaction():
        await waiting.execute("SELECT")
        arrived = await db.sign_in.arrive(database, mia)
        await db.users.set_password_hash(waiting, mia, "new")
    known = await db.users.credentials_of(database, mia)
    assert arrived
    assert known
    assert known.devices_since
    assert known.devices_since > arrived.now
    await waiting.close()


async def test_a_challenge_is_used_up_by_whoever_answers_it_and_is_the_persons_who_arrives(
    database: asyncpg.Connection[asyncpg.Record],
) -> None:
    await make_world("", database)
    mia: UUID = await database.fetchval("SELECT id FROM users WHERE email LIKE 'mia@%'")
    await db.challenges.open_challenge(database, mia, bytes(32), False, ["pwd"], Client(None, None), None, STRANGERS)
    challenge_id: UUID = await database.fetchval("SELECT id FROM challenges")
    answered = await db.sign_in.answer(database, mia, challenge_id)
    assert answered
    assert answered.user_id == mia
    assert await db.sign_in.answer(database, mia, challenge_id) is None
