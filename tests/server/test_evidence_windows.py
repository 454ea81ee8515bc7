"""Which windows `gatehouse evidence export` signs: those alone of which nothing is gone or can still come."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

from db import outbox
from db.housekeeping import prune_events
from rules.clients import Client
from rules.events.passwords import PasswordResetRequested
from rules.events.policy import PolicyDisabled
from tests.client import SECRET_KEYS
from tests.commands import command
from tests.people import World, move_events

NOWHERE = Client(None, None)


def export_from(world: World, database_url: str, begin: datetime, end: datetime, path: Path) -> str:
    """What the command says that exports the agency's window."""
    window = ["--from", begin.isoformat(), "--to", end.isoformat(), "--out", str(path)]
    arguments = ["evidence", "export", "--account", str(world.account_id), *window]
    done = command(*arguments, database_url=database_url, secret_keys=SECRET_KEYS)
    assert (done.returncode == 0) == path.exists()
    return done.stdout + done.stderr


async def test_no_window_of_which_events_are_pruned_is_signed_as_the_whole(
    world: World, database_url: str, tmp_path: Path
) -> None:
    await world.sign_in("mia")
    await move_events(world.database, "100 days")
    await world.database.execute("UPDATE events SET dispatched_at = now()")
    await world.database.execute("SELECT set_config('session_replication_role', 'origin', false)")
    assert await prune_events(world.database, 90) == 1
    at = await world.database.fetchval("SELECT now()")
    day, gone = timedelta(days=1), at - timedelta(days=100)
    said = export_from(world, database_url, gone - day, at, tmp_path / "a.zip")
    assert f"Events are kept since {gone:%Y-%m-%d}" in said
    assert "0 event(s) written" in export_from(world, database_url, gone + day, at, tmp_path / "b.zip")
    arguments = ["--account", str(world.account_id), "--from", str(gone + day), "--to", str(at), "--out", "c.zip"]
    done = command(
        "evidence", "export", *arguments, database_url=database_url, secret_keys=SECRET_KEYS, event_retention_days=30
    )
    assert "Events are kept since" in done.stderr
    # However few days are asked for, eight are kept.
    for ago, status in ((7.9, 0), (8.1, 1)):
        arguments = ["--account", str(world.account_id), "--from", str(at - ago * day), "--to", str(at), "--out"]
        done = command(
            *("evidence", "export", *arguments, str(tmp_path / f"{ago}.zip")),
            database_url=database_url,
            secret_keys=SECRET_KEYS,
            event_retention_days=1,
        )
        assert done.returncode == status, done.stderr


async def test_no_window_is_signed_before_all_that_began_in_it_is_over(
    world: World, database_url: str, tmp_path: Path
) -> None:
    late = world.database
    async with late.transaction():
        await late.execute("SELECT")
        at = await world.database.fetchval("SELECT clock_timestamp()")
        said = export_from(world, database_url, at - timedelta(days=1), at, tmp_path / "a.zip")
        assert "A transaction that began before the window's end is still under way" in said
        told = PolicyDisabled(account_id=world.account_id, actor_id=await world.user_id("olive"))
        await outbox.append(late, told)
    said = export_from(world, database_url, at - timedelta(days=1), at, tmp_path / "b.zip")
    assert "1 event(s) written" in said


async def test_no_window_is_signed_while_something_in_it_waits_to_show(
    world: World, database_url: str, tmp_path: Path
) -> None:
    await outbox.append(world.database, PasswordResetRequested(subject_id=await world.user_id("mia"), client=NOWHERE))
    # Of nobody, which shows nowhere.
    await world.database.execute("INSERT INTO events (type) VALUES ('PASSWORD_RESET_REQUESTED')")
    at = await world.database.fetchval("SELECT clock_timestamp()")
    day, waits = timedelta(days=1), "shows only once its email is written"
    assert waits in export_from(world, database_url, at - day, at, tmp_path / "a.zip")
    await world.database.execute("UPDATE events SET failure = 'broken'")
    assert waits in export_from(world, database_url, at - day, at, tmp_path / "b.zip")
    assert "0 event(s) written" in export_from(world, database_url, at - 2 * day, at - day, tmp_path / "c.zip")
    await world.database.execute("UPDATE events SET failure = NULL, dispatched_at = now() WHERE subject_id IS NOT NULL")
    assert "event(s) written" in export_from(world, database_url, at - day, at, tmp_path / "d.zip")


async def test_no_window_is_signed_while_transactions_of_another_role_are_hidden(
    world: World, database_url: str, tmp_path: Path
) -> None:
    await world.database.execute(
        "CREATE ROLE auditor LOGIN PASSWORD 'of-a-test'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO auditor"
    )
    url = re.sub(r"//[^@]*@", "//auditor:of-a-test@", database_url)
    try:
        # The test's own connection is such a one, and the API's are.
        at = await world.database.fetchval("SELECT clock_timestamp()")
        said = export_from(world, url, at - timedelta(days=1), at, tmp_path / "a.zip")
        assert "connected to the database as another role, whose transactions auditor cannot see" in said
        assert said.endswith("GRANT pg_read_all_stats TO auditor\n")
        await world.database.execute("GRANT pg_read_all_stats TO auditor")
        assert "event(s) written" in export_from(world, url, at - timedelta(days=1), at, tmp_path / "b.zip")
    finally:
        await world.database.execute("DROP OWNED BY auditor; DROP ROLE auditor")
