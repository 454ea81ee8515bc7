"""Reminders for a million staff in two thousand accounts, with mutations beside it, and one bare INSERT … SELECT.

Promises: from the first statement to the last delivery it takes at most twice as long as one statement that copies the
same rows into a table with the same indexes, beside the same mutations; and no mutation of the same accounts and people
waits over 100 ms for a lock.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import time
from datetime import timedelta
from multiprocessing.connection import Connection as Pipe
from uuid import UUID

import asyncpg

from bench import parts
from db import outbox, policy, sessions, users
from db.pool import Connection, Database, open_database
from rules.clients import Client
from rules.events.policy import PolicyDisabled
from rules.events.signing_in import SignInSucceeded
from workers.dispatching import Dispatcher
from workers.reminders import remind

ACCOUNTS = 2_000
STAFF_EACH = 500
ENROLLED_EVERY = 5
THRESHOLDS = (7, 3, 1)
DISPATCHERS = 4  # as many as a worker has threads
CALLERS = 2
MOST_TIMES = 2.0
LONGEST_WAIT_S = 0.1

FILL = """
WITH made AS (
    INSERT INTO accounts (name, required_since, grace_days, grace_deadline, announced_at)
    SELECT 'Agency ' || n, since, 14, since + 14 * interval '24 hours', since
    FROM generate_series(1, $1::int) AS n, (SELECT now() - 11.5 * interval '24 hours' AS since) AS policy
    RETURNING id
), people AS (
    SELECT made.id AS account_id, gen_random_uuid() AS id, n, format('%s.%s@agency.example', made.id, n) AS email
    FROM made, generate_series(0, $2::int - 1) AS n
), added AS (
    INSERT INTO users (id, email, password_hash) SELECT id, email, repeat('x', 97) FROM people
), enrolled AS (
    INSERT INTO factors (user_id, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id)
    SELECT id, '\\x00', 'bench', 0, decode(repeat('00', 16), 'hex'), 'bench' FROM people WHERE n % $3 = 0
)
INSERT INTO staff (account_id, user_id, email, has_mfa, role)
SELECT account_id, id, email, n % $3 = 0, CASE WHEN n = 0 THEN 'OWNER' ELSE 'MEMBER' END FROM people
"""
COLUMNS = "event_id, user_id, email, message, queue, resends, required_since, deadline, expires_at, holds_while"
LIKE_DELIVERIES = "CREATE TABLE bare (LIKE deliveries INCLUDING ALL)"


async def fill(url: str) -> None:
    """Two thousand accounts with two and a half days left; one in five people is enrolled."""
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute(FILL, ACCOUNTS, STAFF_EACH, ENROLLED_EVERY, timeout=300)
    await parts.settle(connection)
    await connection.close()


async def remind_all(url: str) -> tuple[float, float, int]:
    """Remind once: seconds to record it, seconds until every delivery is written, and how many there are."""
    database = await open_database(url, DISPATCHERS)
    began = time.perf_counter()
    await remind(database, THRESHOLDS)
    recorded = time.perf_counter()
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT id FROM events WHERE type = 'GRACE_REMINDER_SENT' ORDER BY id")
    waiting = [row["id"] for row in rows]
    await asyncio.gather(*(_work_through(database, waiting) for _ in range(DISPATCHERS)))
    done = time.perf_counter()
    async with database.connection() as connection:
        count: int = await connection.fetchval("SELECT count(*) FROM deliveries")
    await database.close()
    return recorded - began, done - began, count


async def copy_all(url: str) -> float:
    """The seconds in which one statement writes the rows of all deliveries once more."""
    connection = await asyncpg.connect(url)
    await connection.execute(LIKE_DELIVERIES)
    began = time.perf_counter()
    await connection.execute(f"INSERT INTO bare ({COLUMNS}) SELECT {COLUMNS} FROM deliveries", timeout=300)
    took_s = time.perf_counter() - began
    await connection.execute("DROP TABLE bare")
    await connection.close()
    return took_s


async def _work_through(database: Database, waiting: list[int]) -> None:
    while waiting:
        event_id = waiting.pop()
        while (await Dispatcher().dispatch(database, event_id)).is_unfinished:
            pass


def mutate(pipe: Pipe, url: str) -> None:
    """In a process of its own: say that it is ready, mutate until told to stop; send when each was, and its seconds."""

    async def run() -> list[tuple[float, float]]:
        database = await open_database(url, CALLERS)
        async with database.connection() as connection:
            rows = await connection.fetch("SELECT account_id, user_id FROM staff WHERE role = 'OWNER'")
        owners = [(row["account_id"], row["user_id"]) for row in rows]
        times: list[tuple[float, float]] = []
        pipe.send(True)
        callers = [asyncio.create_task(_call(database, owners, times)) for _ in range(CALLERS)]
        await asyncio.to_thread(pipe.recv)
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
        await database.close()
        return times

    pipe.send(asyncio.run(run()))


async def _call(database: Database, owners: list[tuple[UUID, UUID]], times: list[tuple[float, float]]) -> None:
    while True:
        account_id, user_id = random.choice(owners)
        began = time.monotonic()
        async with database.transaction() as connection:
            await _change_policy(connection, account_id, user_id)
        async with database.transaction() as connection:
            await _sign_in(connection, user_id)
        times.append((began, (time.monotonic() - began) / 2))
        await asyncio.sleep(0.002)


async def _change_policy(connection: Connection, account_id: UUID, user_id: UUID) -> None:
    await policy.lock(connection, account_id)
    # What saving writes, and the same again, so that the reminders stay due.
    await connection.execute("UPDATE accounts SET policy_updated_at = now() WHERE id = $1", account_id)
    await outbox.append(connection, PolicyDisabled(account_id=account_id, actor_id=user_id))


async def _sign_in(connection: Connection, user_id: UUID) -> None:
    await users.lock(connection, user_id)
    client = Client(None, None)
    await sessions.start(connection, user_id, os.urandom(32), client, ["pwd"], timedelta(days=30))
    await outbox.append(connection, SignInSucceeded(subject_id=user_id, actor_id=user_id, client=client))


def main() -> None:
    """Measure, and say whether the promises were kept."""
    with parts.database() as url:
        asyncio.run(fill(url))
        pipe, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=mutate, args=(theirs, url), daemon=True)
        process.start()
        pipe.recv()
        began = time.monotonic()
        recorded_s, all_s, count = asyncio.run(remind_all(url))
        ended = time.monotonic()
        bare_s = [asyncio.run(copy_all(url)) for _ in range(2)]
        pipe.send(False)
        beside = [took_s for at, took_s in pipe.recv() if began <= at <= ended]
        process.join(5)
    times = all_s / min(bare_s)
    parts.table(
        ["", "figure"],
        [
            ["accounts", f"{ACCOUNTS:,}"],
            ["staff", f"{ACCOUNTS * STAFF_EACH:,}"],
            ["deliveries", f"{count:,}"],
            ["recorded, s", recorded_s],
            ["until every delivery is written, s", all_s],
            ["one bare INSERT … SELECT of them, s", min(bare_s)],
            ["a mutation beside it, p50 ms", parts.percentile(beside, 0.5) * 1000],
            ["p99 ms", parts.percentile(beside, 0.99) * 1000],
            ["slowest ms", max(beside) * 1000],
        ],
    )
    waits_s = parts.percentile(beside, 0.99)
    parts.judge(
        {
            f"it takes {times:.1f} times a bare INSERT … SELECT ({MOST_TIMES:.0f} at most)": times <= MOST_TIMES,
            f"a mutation beside it takes {LONGEST_WAIT_S * 1000:.0f} ms at most (p99)": waits_s < LONGEST_WAIT_S,
        }
    )


if __name__ == "__main__":
    main()
