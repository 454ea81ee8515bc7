"""Events that no email can be made of: set aside with their reason, and no one behind them waits."""

from __future__ import annotations

import asyncio

from db import outbox
from rules.alerts import AlertKind
from rules.clients import Client
from rules.events.alerts import AlertRaised
from rules.events.mfa import BackupCodesRegenerated
from tests.commands import command
from tests.line import Line
from tests.people import email

NOBODYS = Client(None, None)
# A rule of the database that one message breaks: what no version of ours expects.
REFUSED = """
ALTER TABLE deliveries ADD CONSTRAINT refused CHECK (message <> 'backup_codes_regenerated')
"""


async def test_a_broken_event_is_set_aside_and_named_and_stops_nothing_behind_it(line: Line, database_url: str) -> None:
    mia, account = await line.world.user_id("mia"), line.world.account_id
    await line.database.executemany(
        "INSERT INTO events (type, account_id, subject_id, data) VALUES ($1, $2, $3, $4)",
        [
            ("STAFF_INVITED", account, mia, {"role": 7}),
            ("POLICY_ENABLED", account, None, {"graceDays": 7}),
            ("POLICY_CHANGED", account, None, {"deadline": "yesterday", "requiredSince": []}),
            ("BACKUP_CODE_USED", None, mia, {}),
            ("MFA_DISABLED", None, None, {}),
        ],
    )
    await line.happen(mia)
    await line.start("relay", "worker")
    await line.mailbox.wait_for(1)

    async def all_are_set_aside() -> bool:
        return bool(await line.database.fetchval("SELECT count(*) = 5 FROM events WHERE failure IS NOT NULL"))

    await line.until(all_are_set_aside, "five events are set aside")
    assert line.mailbox.subjects(email("mia")) == ["MFA is on for your sign-in"]
    listed = await asyncio.to_thread(command, "deliveries", "list", "--failed", database_url=database_url)
    assert "STAFF_INVITED: STAFF_INVITED has a wrong role." in listed.stdout
    assert "POLICY_ENABLED: POLICY_ENABLED lacks its requiredSince." in listed.stdout
    assert "MFA_DISABLED: MFA_DISABLED names no person." in listed.stdout


async def test_an_alert_whose_events_cannot_be_read_waits_alone(line: Line) -> None:
    mia = await line.world.user_id("mia")
    await line.database.execute("UPDATE staff SET role = 'OWNER' WHERE user_id = $1", mia)
    alert = AlertRaised(
        account_id=line.world.account_id,
        subject_id=mia,
        kind=AlertKind.LOCKED,
        count=1,
        told=("Adam was locked.",),
        event_ids=(2**70,),  # no id that the database could look for
    )
    await outbox.append_all(line.database, [alert])
    await line.happen(mia)
    await line.start("relay", "worker", "beat")
    await line.mailbox.wait_for_mail(email("mia"), 1)
    assert line.mailbox.subjects(email("mia")) == ["MFA is on for your sign-in"]
    row = await line.database.fetchrow("SELECT state, last_error FROM deliveries WHERE message = 'alert'")
    assert row is not None
    assert (row["state"], row["last_error"]) == ("pending", "What it tells of cannot be read now: DataError")


async def test_an_event_that_no_worker_survives_is_set_aside_in_the_end(line: Line) -> None:
    await line.happen(await line.world.user_id("mia"))
    await line.database.execute("UPDATE events SET attempts = 10, hand_overs = 10")
    await line.start("relay", "worker")

    async def is_set_aside() -> object:
        return await line.database.fetchval("SELECT failure FROM events")

    await line.until(is_set_aside, "the event is set aside")
    assert await line.database.fetchval("SELECT failure FROM events") == (
        "No worker has got through it in 10 attempts."
    )
    assert await line.states() == {}


async def test_an_event_whose_mails_cannot_be_written_is_set_aside_and_later_ones_of_the_person_leave(
    line: Line,
) -> None:
    mia = await line.world.user_id("mia")
    await line.database.execute(REFUSED)
    async with line.database.transaction():
        await outbox.append(line.database, BackupCodesRegenerated(subject_id=mia, actor_id=mia, client=NOBODYS))
    await line.happen(mia)
    await line.start("relay", "worker", "beat")

    async def is_set_aside() -> object:
        await line.let_time_pass()
        return await line.database.fetchval("SELECT failure FROM events WHERE type = 'BACKUP_CODES_REGENERATED'")

    await line.until(is_set_aside, "the event is set aside")
    await line.mailbox.wait_for(1)
    assert line.mailbox.subjects(email("mia")) == ["MFA is on for your sign-in"]
