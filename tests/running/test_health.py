"""Probes: what each part says of itself, which check failed, and that it says so before it goes."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from tests.client import http_client
from tests.databases import waits
from tests.operations import VIEWER_ID
from tests.ports import own_port
from tests.running.conftest import PARTS, Parts
from tests.waiting import until

CHECKS = {"process": "ok", "database": "ok", "migrations": "ok", "keys": "ok"}


async def test_every_part_is_alive_and_ready_on_its_status_port(parts: Parts) -> None:
    for command in PARTS:
        await parts.start(command)
        assert (await parts.ask(command, "/livez")).json() == {"status": "ok"}
        answer = await parts.ask(command, "/readyz")
        checks = {"process": "ok"} if command == "beat" else CHECKS
        assert answer.json() == {
            "status": "ok",
            "failed": [],
            "checks": checks,
            "reported": {"broker": "ok", "mail": "ok"},
        }, command


async def test_the_api_answers_probes_on_its_own_port_and_shows_no_metrics_there(parts: Parts) -> None:
    await parts.start("serve")
    async with http_client(parts.url) as http:
        answers = {path: await http.get(path) for path in ("/livez", "/readyz", "/healthz", "/metrics")}
    assert [answer.status_code for answer in answers.values()] == [200, 200, 200, 404]
    assert answers["/healthz"].json() == answers["/readyz"].json()
    assert answers["/readyz"].json()["status"] == "ok"


@pytest.mark.long
@pytest.mark.parametrize("command", ["worker", "beat"])
async def test_waiting_for_the_broker_for_over_a_minute_is_no_reason_to_end_a_part(parts: Parts, command: str) -> None:
    # Its ninth try: 2, 4, … and 16 seconds lie behind it, one after another.
    await parts.start(command, word="gain in 18.0", broker_url=f"redis://127.0.0.1:{own_port()}/0")
    assert (await parts.ask(command, "/livez")).status_code == 200


async def test_it_names_the_keys_that_open_nothing_of_what_is_stored(parts: Parts) -> None:
    await parts.start("serve")
    user_id = await parts.line.world.user_id("mia")
    await parts.line.database.execute(
        """
        INSERT INTO factors (user_id, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id)
        VALUES ($1, decode(repeat('00', 48), 'hex'), 'test', 0, decode(repeat('00', 16), 'hex'), 'lost')
        """,
        user_id,
    )
    await _until_failed(parts, ["keys"])
    _, report = await parts.ready()
    assert report["checks"]["keys"] == "missing or wrong: lost, test"
    assert report["checks"]["database"] == "ok"


async def test_keys_that_cannot_be_looked_at_in_time_are_told_and_stop_nobody(parts: Parts) -> None:
    await parts.start("serve")
    database = parts.line.database
    async with database.transaction():
        await database.execute("LOCK TABLE factors")
        status, report = await parts.ready()
        assert (status, report["failed"]) == (200, [])
        assert report["checks"]["database"] == report["checks"]["migrations"] == "ok"
        assert report["reported"]["keys"] == "does not answer (TimeoutError)"
        # Nor does the server go on with what nobody waits for any more.
        await until(lambda: _none_waits(parts), "nothing is left behind")


async def test_it_names_migrations_that_are_missing_and_those_of_a_later_version(parts: Parts) -> None:
    await parts.start("serve")
    database = parts.line.database
    await database.execute("INSERT INTO migrations (number, name, checksum, kind) VALUES (9998, 'x', 'x', 'expand')")
    assert (await parts.ready())[0] == 200
    await database.execute("INSERT INTO migrations (number, name, checksum, kind) VALUES (9999, 'x', 'x', 'contract')")
    await _until_failed(parts, ["migrations"])
    await database.execute("DELETE FROM migrations WHERE number = 9999 OR number = 7")

    async def lacks_one() -> bool:
        return "lacks 1 migration" in (await parts.ready())[1]["checks"]["migrations"]

    await until(lacks_one, "it says that a migration is missing")


async def test_a_broker_and_a_mail_server_that_are_away_are_told_and_stop_nobody(parts: Parts) -> None:
    await parts.start("serve", broker_url="redis://127.0.0.1:1/0", smtp_url="smtp://127.0.0.1:1")
    status, report = await parts.ready()
    assert (status, report["failed"]) == (200, [])
    away = "does not answer (ConnectionError)", "does not answer (ConnectionRefusedError)"
    assert (report["reported"]["broker"], report["reported"]["mail"]) == away


async def test_asked_to_end_it_is_not_ready_first_and_serves_meanwhile(parts: Parts) -> None:
    await parts.start("serve", drain_seconds=3)
    assert (await parts.ready())[0] == 200
    process = parts.processes["serve"]
    process.child.send_signal(signal.SIGTERM)
    await _until_failed(parts, ["process"])
    async with http_client(parts.url) as http:
        answer = await http.post("/graphql", json={"query": VIEWER_ID})
    assert answer.json() == {"data": {"viewer": None}}
    assert await process.wait() == 0


async def _none_waits(parts: Parts) -> bool:
    return not await waits(parts.line.database)


async def _until_failed(parts: Parts, failed: list[str]) -> None:
    last: list[tuple[int, dict[str, Any]]] = []

    async def has_failed() -> bool:
        last[:] = [await parts.ready()]
        return bool(last[0][1]["failed"] == failed)

    await until(has_failed, lambda: f"{failed} fail: {last}")
    ((status, report),) = last
    assert (status, report["status"]) == (503, "not ready")
