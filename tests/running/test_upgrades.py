"""Upgrades: each migration says its kind, and no part serves on a database that is not for it."""

from __future__ import annotations

import asyncpg

from db.migrate import all_migrations
from tests.commands import command
from tests.people import World
from tests.running.conftest import Parts
from tests.statements import released

LATER = "INSERT INTO migrations (number, name, checksum, kind) VALUES (9999, 'later', 'x', $1)"


def test_every_migration_says_whether_it_expands_or_contracts() -> None:
    kinds = {migration.number: migration.kind for migration in all_migrations()}
    assert set(kinds.values()) == {"expand", "contract"}


async def test_the_statements_of_the_last_release_run_on_this_schema(
    database: asyncpg.Connection[asyncpg.Record],
) -> None:
    refused, kept = {}, list(released())
    for place, text in kept:
        try:
            await database.prepare(text)
        except asyncpg.PostgresError as error:
            refused[place] = str(error)
    assert refused == {}
    assert len(kept) > 150


async def test_on_a_database_that_lacks_migrations_nothing_serves(world: World, database_url: str) -> None:
    await world.database.execute("DELETE FROM migrations WHERE number = 7")
    lacks = "Error: The database lacks 1 migration(s): run `gatehouse migrate` first.\n"
    for arguments in (("serve", "--port=0"), ("migrate", "--check")):
        done = command(*arguments, database_url=database_url, secret_keys="test:" + "a" * 43 + "=")
        assert (done.returncode, done.stderr) == (1, lacks)
    planned = command("migrate", "--plan", database_url=database_url)
    assert (planned.returncode, planned.stdout) == (0, "0007 event_retention (expand)\n")


async def test_what_a_later_version_has_only_added_disturbs_nobody(parts: Parts) -> None:
    await parts.line.database.execute(LATER, "expand")
    await parts.start("serve")
    assert (await parts.ready())[0] == 200


async def test_on_a_database_that_a_later_version_has_contracted_nothing_serves(
    world: World, database_url: str
) -> None:
    await world.database.execute(LATER, "contract")
    for arguments in (("serve", "--port=0"), ("migrate", "--check")):
        done = command(*arguments, database_url=database_url, secret_keys="test:" + "a" * 43 + "=")
        assert done.returncode == 1
        assert done.stderr.startswith("Error: The database is too new: its migration 9999 belongs to a later version")
