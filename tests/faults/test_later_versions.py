"""While parts are replaced one by one: what a later version alone knows waits for its workers, and holds up nobody."""

from __future__ import annotations

import pytest

import db.figures
from db import outbox
from db.pool import Database
from rules.clients import Client
from rules.events.mfa import BackupCodesRegenerated
from tests.commands import command
from tests.line import Line
from tests.people import email
from tests.reminders.cast import pool

__all__ = ["pool"]
NOBODYS = Client(None, None)

UNKNOWN = {
    "message": "Its message is unknown: 'OF_LATER'.",
    "holds_while": "It is not known whether it holds: 'OF_LATER'.",
}


async def write_mails(line: Line, column: str) -> None:
    """Let a later version's worker have written Mia's mail, and any other one Adam's."""
    await line.happen(await line.world.user_id("mia"), await line.world.user_id("adam"))
    await line.database.execute(
        "INSERT INTO deliveries (event_id, user_id, email, message, queue) "
        "SELECT events.id, users.id, email, 'mfa_enabled', 'security' FROM events JOIN users ON users.id = subject_id"
    )
    await line.database.execute("UPDATE events SET dispatched_at = now()")
    await line.database.execute(f"UPDATE deliveries SET {column} = 'OF_LATER' WHERE email = $1", email("mia"))


@pytest.mark.parametrize("column", UNKNOWN)
async def test_an_email_that_a_later_version_makes_waits_for_its_workers(line: Line, column: str) -> None:
    await write_mails(line, column)
    await line.start("worker", "beat")

    async def waits() -> bool:
        return await line.states() == {"sent": 1, "pending": 1}

    await line.until(waits, "one is sent, and the other one waits")
    assert line.mailbox.subjects(email("adam")) == ["MFA is on for your sign-in"]
    put_off = "SELECT attempts, last_error, next_attempt_at > now() FROM deliveries WHERE email = $1"
    assert tuple(await line.database.fetchrow(put_off, email("mia")) or ()) == (1, UNKNOWN[column], True)
    # Others to the address go ahead of it, even of later events.
    mia = await line.world.user_id("mia")
    async with line.database.transaction():
        await outbox.append(line.database, BackupCodesRegenerated(subject_id=mia, actor_id=mia, client=NOBODYS))
    await line.start("relay")

    async def has_gone_ahead() -> bool:
        return await line.states() == {"sent": 2, "pending": 1}

    await line.until(has_gone_ahead, "a later one is sent")
    assert line.mailbox.subjects(email("mia")) == ["Your backup codes were replaced"]
    known = {"message": "mfa_enabled", "holds_while": "ENROLLED"}  # whose worker knows it
    await line.database.execute(f"UPDATE deliveries SET {column} = $1 WHERE state = 'pending'", known[column])
    await line.let_time_pass()
    await line.until_all("sent", 3)
    assert line.mailbox.subjects(email("mia"))[1:] == ["MFA is on for your sign-in"]


async def test_one_that_no_worker_has_known_for_a_day_has_failed(line: Line, database_url: str) -> None:
    await write_mails(line, "message")
    await line.database.execute("UPDATE deliveries SET created_at = now() - interval '25 hours'")
    await line.start("worker", "beat")

    async def has_failed() -> bool:
        return await line.states() == {"sent": 1, "failed": 1}

    await line.until(has_failed, "it has failed")
    listed = command("deliveries", "list", "--failed", database_url=database_url)
    assert UNKNOWN["message"] in listed.stdout


async def test_one_whose_event_tells_what_a_later_version_knows_waits_too(line: Line) -> None:
    told = {"olive": ("ALERT_RAISED", {"kind": "OF_LATER", "count": 1, "told": ["This."]}), "adam": ("OF_LATER", {})}
    for name, (type_name, data) in told.items():
        await line.database.execute(
            "WITH event AS (INSERT INTO events (type, account_id, subject_id, data, dispatched_at) "
            "VALUES ($1, $2, $3, $4, now()) RETURNING id) INSERT INTO deliveries (event_id, user_id, email, message, "
            "queue) SELECT event.id, $3, $5, 'alert', 'security' FROM event",
            type_name,
            line.world.account_id,
            await line.world.user_id(name),
            data,
            email(name),
        )
    await line.start("worker", "beat")

    async def wait() -> bool:
        rows = await line.database.fetch("SELECT last_error FROM deliveries WHERE state = 'pending' ORDER BY id")
        expected = ["ALERT_RAISED has a wrong kind.", "Its event's type is unknown: 'OF_LATER'."]
        return [row["last_error"] for row in rows] == expected

    await line.until(wait, "both wait")
    assert line.mailbox.messages == []


LATER_EVENTS = {
    "OF_LATER": ({}, "Unknown event type 'OF_LATER'."),
    "ALERT_RAISED": ({"kind": "OF_LATER", "count": 1, "told": ["This."]}, "ALERT_RAISED has a wrong kind."),
}


async def append(line: Line, type_name: str, name: str, failure: str | None = None) -> int:
    """Let a later version have appended this event about somebody; its id."""
    event_id: int = await line.database.fetchval(
        "INSERT INTO events (type, account_id, subject_id, data, failure) VALUES ($1, $2, $3, $4, $5) RETURNING id",
        type_name,
        line.world.account_id,
        await line.world.user_id(name),
        LATER_EVENTS[type_name][0],
        failure,
    )
    return event_id


@pytest.mark.parametrize("type_name", LATER_EVENTS)
async def test_an_event_of_a_later_version_waits_for_its_workers_and_holds_up_nobody(
    line: Line, pool: Database, type_name: str
) -> None:
    event_id = await append(line, type_name, "mia")
    await line.happen(await line.world.user_id("mia"), await line.world.user_id("adam"))
    await line.start("relay", "worker", "beat")
    await line.until_all("sent", 2)

    async def was_handed_over(times: int) -> bool:
        await line.let_time_pass()
        return bool(await line.database.fetchval("SELECT hand_overs >= $2 FROM events WHERE id = $1", event_id, times))

    await line.until(lambda: was_handed_over(12), "it is handed over again and again")
    assert await line.database.fetchval("SELECT failure FROM events WHERE id = $1", event_id) is None
    await line.database.execute("UPDATE events SET left_at = now() - interval '23 hours' WHERE id = $1", event_id)
    await line.until(lambda: was_handed_over(14), "it is handed over on")
    async with pool.connection() as connection:
        waiting = await db.figures.line(connection)
    assert waiting.oldest_event_s > 0
    assert waiting.set_aside == 0
    status = command("deliveries", "status", database_url=line.settings["database_url"])
    assert ["events", "unknown", "1"] in [row.split()[:3] for row in status.stdout.splitlines()]
    await line.database.execute("UPDATE events SET left_at = now() - interval '24 hours' WHERE id = $1", event_id)

    async def is_set_aside() -> object:
        await line.let_time_pass()
        return await line.database.fetchval("SELECT failure FROM events WHERE id = $1", event_id)

    await line.until(is_set_aside, "it is set aside after a day")
    listed = command("deliveries", "list", "--failed", database_url=line.settings["database_url"])
    assert f"{type_name}: {LATER_EVENTS[type_name][1]}" in listed.stdout


async def test_what_was_set_aside_as_unknown_is_taken_up_by_a_worker_that_knows_it(line: Line) -> None:
    mia = await line.world.user_id("mia")
    unknown = [await append(line, type_name, "mia", text) for type_name, (_, text) in LATER_EVENTS.items()]
    await line.happen(mia)
    broken = await line.database.fetchval(
        "INSERT INTO events (type, subject_id, data, failure) VALUES ('BACKUP_CODE_USED', $1, '{}', $2) RETURNING id",
        mia,
        "BACKUP_CODE_USED lacks its remaining.",
    )
    await line.database.execute("UPDATE events SET failure = 'Unknown event type.' WHERE type = 'MFA_ENABLED'")
    await line.start("relay", "worker", "beat")
    await line.until_all("sent", 1)
    assert line.mailbox.subjects(email("mia")) == ["MFA is on for your sign-in"]
    left = await line.database.fetch("SELECT id FROM events WHERE failure IS NOT NULL ORDER BY id")
    assert [row["id"] for row in left] == [*unknown, broken]
