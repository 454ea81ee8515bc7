"""Upgrades: each migration says its kind, and no part serves on a database that is not for it."""

from __future__ import annotations

import asyncpg
import celery

from db.migrate import all_migrations
from tests.broker import Broker
from tests.commands import command
from tests.line import Line
from tests.people import World, email, require_mfa
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


async def test_what_the_version_before_has_asked_for_is_done(line: Line, broker: Broker) -> None:
    await require_mfa(line.database, line.world.account_id, days_ago=4.5, grace_days=7)
    await line.database.execute("UPDATE accounts SET created_at = now() - interval '30 days'")
    people = {await line.world.user_id("mia"): "gatehouse.security", await line.world.user_id("adam"): "gatehouse.plan"}
    await line.happen(*people)
    app = celery.Celery(broker=broker.url, set_as_current=False)
    for row in await line.database.fetch("SELECT id, subject_id FROM events WHERE type = 'MFA_ENABLED'"):
        app.send_task("gatehouse.plan_event", [row["id"]], queue=people[row["subject_id"]])
    for name in ("plan_reminders", "plan_digests"):
        app.send_task(f"gatehouse.{name}", queue="gatehouse.plan")
    app.close()
    await line.start("worker")
    await line.until_all("sent", 2)
    assert {str(mail["to"]) for mail in line.mailbox.messages} == {email("mia"), email("adam")}

    async def are_recorded() -> bool:
        recorded = await line.database.fetch("SELECT type FROM events WHERE subject_id IS NULL")
        return {row["type"] for row in recorded} >= {"GRACE_REMINDER_SENT", "DIGEST_SENT"}

    await line.until(are_recorded, "the reminder and the digest are recorded")
