"""A worker that dies at the worst moments: what another one makes of what it left."""

from __future__ import annotations

import asyncio
from email.message import EmailMessage

import asyncpg
import pytest
from aiosmtpd.smtp import SMTP

from db import outbox
from rules.events.mfa import MfaReset
from rules.events.policy import saved
from rules.policy import Policy
from tests.line import Line, remind_mia
from tests.people import crowd, email, require_mfa
from tests.waiting import soon

# The owner's alert of the same change is an event of its own.
FANNED_OUT = "SELECT count(*) FROM deliveries JOIN events ON events.id = event_id WHERE type = 'POLICY_ENABLED'"


async def test_a_mail_that_was_claimed_by_a_killed_worker_is_sent_by_another_once(line: Line) -> None:
    asked, asks = asyncio.Event(), []

    async def hold_the_first(server: SMTP, address: str) -> None:
        asks.append(address)
        asked.set()
        if len(asks) == 1:
            await asyncio.Event().wait()

    line.mailbox.reply_to_rcpt = hold_the_first
    _, worker = await line.start("relay", "worker")
    await line.happen(await line.world.user_id("mia"))
    await soon(asked.wait())
    worker.kill()
    assert dict(await line.states()) == {"sending": 1}
    await line.let_time_pass(of_claims=True)
    await line.start("worker", "beat")
    await line.until_all("sent", 1)
    assert line.mailbox.subjects(email("mia")) == ["MFA is on for your sign-in"]
    assert await line.database.fetchval("SELECT attempts FROM deliveries") == 2


@pytest.mark.parametrize("is_reminder", [False, True], ids=["security mail", "a reminder"])
async def test_a_mail_in_doubt_goes_out_again_under_the_same_id_unless_it_is_a_reminder(
    line: Line, database_url: str, is_reminder: bool
) -> None:
    locker = await asyncpg.connect(database_url)
    lock = locker.transaction()

    async def hold_the_mark(message: EmailMessage) -> None:
        if len(line.mailbox.messages) == 1:
            await lock.start()
            await locker.execute("SELECT FROM deliveries FOR UPDATE")

    line.mailbox.after_data = hold_the_mark
    _, worker = await line.start("relay", "worker")
    if is_reminder:
        await remind_mia(line)
    else:
        await line.happen(await line.world.user_id("mia"))
    backend = await line.until_waiting_for_a_lock("gatehouse-worker")
    worker.kill()
    await line.database.execute("SELECT pg_terminate_backend($1)", backend)
    await lock.rollback()
    await locker.close()
    assert dict(await line.states()) == {"sending": 1}
    await line.let_time_pass(of_claims=True)
    await line.start("worker", "beat")
    await line.until_all("sent", 1)
    assert len(line.mailbox.messages) == (1 if is_reminder else 2)
    assert len({message["message-id"] for message in line.mailbox.messages}) == 1


async def test_a_fan_out_that_a_worker_died_in_is_taken_up_where_it_was(line: Line, database_url: str) -> None:
    await line.database.execute(
        "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_advisory_xact_lock(1) WHERE NEW.fanned_out_to IS NOT NULL; RETURN NEW; END $$"
    )
    policy = await require_mfa(line.database, line.world.account_id, days_ago=0, grace_days=7)
    await crowd_of_25_000(line)
    await line.database.execute("SELECT pg_advisory_lock(1)")
    await line.database.execute(
        "CREATE TRIGGER hold AFTER UPDATE ON events FOR EACH ROW WHEN (OLD.fanned_out_to IS NOT NULL) "
        "EXECUTE FUNCTION hold()"
    )
    _, worker = await line.start("relay", "worker", smtp_url="smtp://127.0.0.1:1")
    await announce(line, policy)
    await line.until_waiting_for_a_lock("gatehouse-worker")
    worker.kill()
    await line.database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gatehouse-worker'"
    )
    await line.database.execute("DROP TRIGGER hold ON events")
    await line.database.execute("SELECT pg_advisory_unlock(1)")
    assert await line.database.fetchval(FANNED_OUT) == 10_000
    await line.let_time_pass(of_claims=True)
    await line.start("worker", smtp_url="smtp://127.0.0.1:1")

    async def is_dispatched() -> object:
        return await line.database.fetchval("SELECT dispatched_at FROM events WHERE type = 'POLICY_ENABLED'")

    await line.until(is_dispatched, "the event is dispatched")
    assert await line.database.fetchval(FANNED_OUT) == 25_003


@pytest.mark.long
async def test_security_mail_overtakes_a_fan_out(line: Line) -> None:
    policy = await require_mfa(line.database, line.world.account_id, days_ago=0, grace_days=7)
    await crowd_of_25_000(line)
    await line.start("relay", "worker")
    await announce(line, policy)
    await line.mailbox.wait_for(200)
    reset_at = len(line.mailbox.messages)
    await outbox.append(line.database, MfaReset(subject_id=await line.world.user_id("sue")))

    async def has_come() -> bool:
        return bool(line.mailbox.subjects(email("sue")))

    await line.until(has_come, "the reset's mail")
    assert len(line.mailbox.messages) - reset_at < 5_000


async def announce(line: Line, policy: Policy) -> None:
    off = Policy(None, None, None, policy.updated_at)
    await outbox.append(line.database, saved(off, policy, line.world.account_id, await line.world.user_id("olive")))


async def crowd_of_25_000(line: Line) -> None:
    """Two whole chunks of a fan-out and a half."""
    await crowd(line.database, line.world.account_id, 25_000)
