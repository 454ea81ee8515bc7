"""`gatehouse migrate` beside a product at work: it waits in nobody's way, and goes on where it was ended."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import asyncpg
import pytest

from db.pool import Connection
from db.turn import LOCK_ID
from tests.client import SECRET_KEYS
from tests.databases import waits
from tests.parts import Process, environment
from tests.people import make_world

TABLE_MIGRATION, INDEX_MIGRATION = 7, 40
# What pg_dump holds of each table, the ledger's too, until it is done.
DUMPED = "LOCK TABLE migrations IN ACCESS SHARE MODE"


async def forget(database: Connection, number: int, index: str) -> None:
    """Let a migration that creates an index be missing."""
    await database.execute(f"DROP INDEX {index}")
    await database.execute("DELETE FROM migrations WHERE number = $1", number)


async def applied(database: Connection, number: int) -> bool:
    """Whether the ledger has the migration."""
    return bool(await database.fetchval("SELECT true FROM migrations WHERE number = $1", number))


async def until(holds: Callable[[], object], migrating: Process) -> None:
    """Return once `holds` does, which is awaited; fails when the migration ends before."""
    while not await holds():  # type: ignore[misc]
        assert migrating.child.poll() is None, migrating.output
        await asyncio.sleep(0.02)


async def test_it_waits_for_an_open_writer_in_short_tries_and_nobody_waits_behind_it(
    database_url: str, database: asyncpg.Connection[asyncpg.Record], gatehouse: Callable[..., Process]
) -> None:
    world = await make_world("", database)
    event_id = await database.fetchval("INSERT INTO events (type) VALUES ('MFA_ENABLED') RETURNING id")
    await forget(database, TABLE_MIGRATION, "account_events_event")
    writer = await asyncpg.connect(database_url)
    transaction = writer.transaction()
    await transaction.start()
    insert = "INSERT INTO account_events (account_id, event_id) VALUES ($1, $2)"
    await writer.execute(insert, world.account_id, event_id)

    migrating = gatehouse("migrate", env=environment(database_url=database_url))
    await until(lambda: waits(database), migrating)
    await database.execute(insert, world.other_account_id, event_id)  # behind it: returns once the try is over
    assert not await applied(database, TABLE_MIGRATION)
    await until(lambda: waits(database), migrating)  # the next try
    await transaction.commit()
    assert await migrating.wait() == 0
    assert "0007 event_retention" in migrating.output
    assert await applied(database, TABLE_MIGRATION)
    await writer.close()


@pytest.mark.long
async def test_it_says_who_is_in_the_way_when_it_gives_up(
    database_url: str, database: asyncpg.Connection[asyncpg.Record], gatehouse: Callable[..., Process]
) -> None:
    await forget(database, TABLE_MIGRATION, "account_events_event")
    writer = await asyncpg.connect(database_url, server_settings={"application_name": "a backup"})
    async with writer.transaction():
        await writer.execute("LOCK TABLE account_events IN ROW EXCLUSIVE MODE")
        migrating = gatehouse("migrate", env=environment(database_url=database_url))
        assert await migrating.wait() == 1
    assert "Migration 7 (event_retention) found its tables in use in 10 tries" in migrating.output
    assert f"process {writer.get_server_pid()} (a backup)'s" in migrating.output
    assert not await applied(database, TABLE_MIGRATION)
    await writer.close()


async def test_an_index_made_concurrently_holds_up_no_writer_and_survives_its_end(
    database_url: str, database: asyncpg.Connection[asyncpg.Record], gatehouse: Callable[..., Process]
) -> None:
    await forget(database, INDEX_MIGRATION, "deliveries_open")
    writer = await asyncpg.connect(database_url)
    transaction = writer.transaction()
    await transaction.start()
    await writer.execute("LOCK TABLE deliveries IN ROW EXCLUSIVE MODE")

    ended = gatehouse("migrate", env=environment(database_url=database_url))
    await until(lambda: waits(database), ended)
    await database.execute("UPDATE deliveries SET attempts = 0")
    ended.child.send_signal(signal.SIGKILL)
    await database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%INDEX CONCURRENTLY%' "
        "AND pid <> pg_backend_pid()"
    )
    assert await database.fetchval("SELECT NOT indisvalid FROM pg_index WHERE indexrelid = 'deliveries_open'::regclass")

    first, second = [gatehouse("migrate", env=environment(database_url=database_url)) for _ in range(2)]
    await until(lambda: waits(database), first)
    await transaction.commit()
    assert [await one.wait() for one in (first, second)] == [0, 0]
    assert await database.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = 'deliveries_open'::regclass")
    assert await applied(database, INDEX_MIGRATION)
    await writer.close()


async def test_with_nothing_to_apply_it_waits_for_no_backup(
    database_url: str, gatehouse: Callable[..., Process]
) -> None:
    backup = await asyncpg.connect(database_url)
    async with backup.transaction():
        await backup.execute(DUMPED)
        migrating = gatehouse("migrate", env=environment(database_url=database_url))
        assert await migrating.wait() == 0
    assert "The database is up to date." in migrating.output
    await backup.close()


async def test_a_ledger_of_before_gets_its_column_in_short_tries_and_is_read_meanwhile(
    database_url: str, database: asyncpg.Connection[asyncpg.Record], gatehouse: Callable[..., Process]
) -> None:
    await database.execute("ALTER TABLE migrations DROP COLUMN kind")
    backup = await asyncpg.connect(database_url)
    transaction = backup.transaction()
    await transaction.start()
    await backup.execute(DUMPED)
    migrating = gatehouse("migrate", env=environment(database_url=database_url))
    await until(lambda: waits(database), migrating)
    # Whoever asks whether a part is ready reads it, and returns once the try is over.
    assert await database.fetchval("SELECT count(*) FROM migrations") > 0
    await until(lambda: waits(database), migrating)  # the next try
    await transaction.commit()
    assert await migrating.wait() == 0
    assert await database.fetchval(
        "SELECT true FROM pg_attribute WHERE attrelid = 'migrations'::regclass AND attname = 'kind'"
    )
    await backup.close()


@pytest.mark.parametrize("arguments", [("migrate", "--check"), ("doctor",)])
async def test_whoever_looks_at_a_ledger_that_somebody_locks_says_so(
    database_url: str, database: Connection, gatehouse: Callable[..., Process], arguments: tuple[str, ...]
) -> None:
    async with database.transaction():
        await database.execute("LOCK TABLE migrations")
        looking = gatehouse(*arguments, env=environment(database_url=database_url, secret_keys=SECRET_KEYS))
        assert await looking.wait() == 1
        assert "The database does not answer: it took too long." in looking.output


# What is the same, whether the file was applied before it was mended or after.
CHECKED = """
SELECT conrelid::regclass::text AS of, conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint
WHERE conname IN ('events_traceparent_check', 'accounts_reset_approval_check') ORDER BY 1
"""
BEFORE = {
    96: "39bf0e71ad8a470dd1b5fd1ecffe8389e8e0f00183c9e50ce9b4682231966c90",
    160: "10f730bcdb69ed0217a2ddb9ff67e2181cd63034acb954e7c922644f23c54914",
}


async def test_a_database_that_has_a_file_as_it_was_before_it_was_mended_goes_on(
    database_url: str, database: Connection, gatehouse: Callable[..., Process]
) -> None:
    checked = await database.fetch(CHECKED)
    assert [row["of"] for row in checked] == ["accounts", "events"]
    for number, checksum in BEFORE.items():
        await database.execute("UPDATE migrations SET checksum = $2 WHERE number = $1", number, checksum)
    await database.execute("DELETE FROM migrations WHERE number IN (432, 433)")
    migrating = gatehouse("migrate", env=environment(database_url=database_url))
    assert await migrating.wait() == 0, migrating.output
    assert migrating.output.splitlines()[:2] == ["0432 traces_checked (expand)", "0433 approvals_checked (expand)"]
    assert await database.fetch(CHECKED) == checked


async def test_a_file_that_has_changed_otherwise_is_told(
    database_url: str, database: Connection, gatehouse: Callable[..., Process]
) -> None:
    await database.execute("UPDATE migrations SET checksum = 'other' WHERE number = 96")
    migrating = gatehouse("migrate", env=environment(database_url=database_url))
    assert await migrating.wait() == 1
    assert "Migration 96 (traces_of_events) has changed since it was applied." in migrating.output


async def test_whoever_waits_for_another_to_migrate_says_for_whom(
    database_url: str, gatehouse: Callable[..., Process]
) -> None:
    other = await asyncpg.connect(database_url)
    await other.execute("SELECT pg_advisory_lock($1)", LOCK_ID)
    waiting = gatehouse("migrate", env=environment(database_url=database_url))
    await waiting.wait_for_output(f"is at work, of the database's process {other.get_server_pid()}")
    await other.close()
    assert await waiting.wait() == 0
