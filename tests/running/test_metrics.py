"""Metrics: what is counted, under names as Prometheus wants them, and with no label that a stranger can fill."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import psutil
import pytest

from resolvers.webhooks import insert
from rules.sealing import KeyRing
from tests.operations import COMPLETE, SIGN_IN
from tests.people import email
from tests.running.conftest import PARTS, Parts
from tests.waiting import until

NAMED = "query Mischief%d { viewer { id } }"


async def test_what_happens_is_counted_by_name_and_outcome(parts: Parts) -> None:
    await parts.start("serve")
    world = parts.line.world
    factor = await world.enroll(await world.sign_in("mia"))
    client, token = await world.challenge("mia")
    assert await client.do(COMPLETE, token=token, code={"totp": "000000"})
    assert await client.do(COMPLETE, token=token, code={"backupCode": factor.backup_codes[0]})
    await world.client().do(SIGN_IN, email=email("olive"), password="wrong")
    for number in range(3):
        await world.client().ask(NAMED % number)
    await world.client().raw("{ nonsense }")
    found = await parts.samples("serve")
    counted = {
        'gatehouse_requests_total{operation="signIn",outcome="OK"}': 2,
        'gatehouse_requests_total{operation="signIn",outcome="InvalidCredentials"}': 1,
        'gatehouse_requests_total{operation="completeMfaChallenge",outcome="InvalidCode"}': 1,
        'gatehouse_requests_total{operation="other",outcome="OK"}': 3,
        'gatehouse_requests_total{operation="other",outcome="GRAPHQL_VALIDATION_FAILED"}': 1,
        'gatehouse_request_duration_seconds_count{operation="signIn",outcome="OK"}': 2,
        'gatehouse_challenges_total{kind="totp",result="InvalidCode"}': 1,
        'gatehouse_challenges_total{kind="backup_code",result="accepted"}': 1,
        'gatehouse_staff{state="enrolled"}': 1,
        'gatehouse_staff{state="blocked"}': 0,
        "gatehouse_argon2_queue": 0,
        "gatehouse_subscriptions_open": 0,
    }
    assert {name: found.get(name) for name in counted} == counted
    assert found['gatehouse_database_pool_connections{state="idle"}'] >= 1
    written = "\n".join(found)
    assert "Mischief" not in written
    assert "@" not in written


async def test_the_mail_line_is_counted_where_it_runs(parts: Parts) -> None:
    for command in PARTS[1:]:
        await parts.start(command)
    await parts.line.happen(await parts.line.world.user_id("mia"))
    await parts.line.until_all("sent", 1)
    worker = await parts.samples("worker")
    assert worker['gatehouse_smtp_attempts_total{outcome="sent"}'] == 1
    assert worker['gatehouse_smtp_duration_seconds_count{outcome="sent"}'] == 1
    relay = await parts.samples("relay")
    assert relay['gatehouse_deliveries{queue="security",state="sent"}'] == 1
    assert relay["gatehouse_oldest_undispatched_event_age_seconds"] == 0
    assert relay["gatehouse_oldest_due_delivery_age_seconds"] == 0
    assert await parts.samples("beat")


async def test_the_mail_line_is_shown_while_all_that_is_counted_takes_long(parts: Parts) -> None:
    await parts.start("relay")
    async with parts.line.database.transaction():
        await parts.line.database.execute("LOCK TABLE staff")
        shown = await parts.samples("relay")
        assert shown["gatehouse_oldest_undispatched_event_age_seconds"] == 0
        assert shown["gatehouse_oldest_due_delivery_age_seconds"] == 0
        assert shown["gatehouse_events_set_aside"] == 0
        assert 'gatehouse_staff{state="enrolled"}' not in shown

    async def are_counted() -> bool:
        return 'gatehouse_staff{state="enrolled"}' in await parts.samples("relay")

    await until(are_counted, "those enrolled are counted")


async def test_scrapes_at_the_same_time_are_all_answered(parts: Parts) -> None:
    await parts.start("relay")
    for shown in await asyncio.gather(*[parts.samples("relay") for _ in range(4)]):
        assert shown["gatehouse_oldest_undispatched_event_age_seconds"] == 0
        assert shown['gatehouse_staff{state="blocked"}'] == 0


async def test_the_mail_line_is_shown_while_webhooks_take_long(parts: Parts) -> None:
    await parts.start("relay")
    async with parts.line.database.transaction():
        await parts.line.database.execute("LOCK TABLE webhooks")
        shown = await parts.samples("relay")
        assert shown["gatehouse_oldest_undispatched_event_age_seconds"] == 0
        assert shown["gatehouse_oldest_due_delivery_age_seconds"] == 0
        assert shown["gatehouse_events_set_aside"] == 0
        assert "gatehouse_oldest_due_webhook_delivery_age_seconds" not in shown


async def test_webhooks_are_counted_by_how_they_stand_and_what_waits_for_those_that_answer(parts: Parts) -> None:
    await parts.start("relay")
    world = parts.line.world
    due = "INSERT INTO webhook_deliveries (webhook_id, next_attempt_at) VALUES ($1, now() - $2::interval)"
    ring = KeyRing({"test": bytes(32)})
    for account_id in (world.account_id, world.account_id, None, None):
        await insert(world.database, ring, account_id, "https://hooks.example.com", None)
    off, answers, failing, ours = [
        row["id"] for row in await world.database.fetch("SELECT id FROM webhooks ORDER BY account_id IS NULL DESC, id")
    ]
    await world.database.execute("UPDATE webhooks SET disabled_at = now() WHERE id = $1", off)
    await world.database.execute("UPDATE webhooks SET failing_since = now() WHERE id = $1", failing)
    for hook, minutes in ((off, 100), (failing, 50), (ours, 10), (answers, 5), (answers, -5)):
        await world.database.execute(due, hook, timedelta(minutes=minutes))
    shown = await parts.samples("relay")
    counts = [(whose, state) for whose in ("platform", "account") for state in ("on", "failing", "off")]
    found = [shown[f'gatehouse_webhooks{{state="{state}",whose="{whose}"}}'] for whose, state in counts]
    assert found == [1, 0, 1, 1, 1, 0]
    assert 600 <= shown["gatehouse_oldest_due_webhook_delivery_age_seconds"] < 1000


@pytest.mark.parametrize("command", PARTS)
async def test_a_part_that_is_told_of_no_status_port_opens_none(parts: Parts, command: str) -> None:
    word = "Application startup complete" if command == "serve" else ""
    (process,) = await parts.line.start(command, word=word)
    assert process.child.poll() is None
    assert _listening(process.child.pid) == ([parts.line.settings["port"]] if command == "serve" else [])


def _listening(pid: int) -> list[int]:
    return [c.laddr.port for c in psutil.Process(pid).net_connections("tcp") if c.status == psutil.CONN_LISTEN]
