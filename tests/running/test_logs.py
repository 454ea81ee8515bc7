"""The log: JSON, one object a line, from the request to its email under one id, and nothing secret in it."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from server.local import processes
from tests import used
from tests.client import SECRET_KEYS
from tests.line import Line
from tests.operations import COMPLETE, REGENERATE, SIGN_IN
from tests.parts import Process
from tests.people import PASSWORD, email
from tests.running.conftest import PARTS, Parts
from tests.transport.talking import PROTOCOL
from tests.waiting import soon


def lines_of(process: Process) -> list[dict[str, Any]]:
    """What a part has written, a line each; fails for one that is no JSON object."""
    lines = [json.loads(line) for line in process.output.splitlines()]
    assert all(isinstance(line, dict) for line in lines)
    return lines


def news(lines: Iterable[dict[str, Any]]) -> list[str]:
    """What these lines tell of; without warnings, which a machine may give reason for that is busy with others."""
    return [told["event"] for told in lines if told["level"] == "info"]


async def test_a_request_is_followed_by_its_id_to_the_email(parts: Parts) -> None:
    for command_ in PARTS:
        await parts.start(command_)
    world = parts.line.world
    client = await world.sign_in("mia")
    client.headers["x-request-id"] = "found-again.1"
    await world.enroll(client)
    await parts.line.until_all("sent", 1)
    worker = parts.processes["worker"]
    await worker.wait_for_output("Delivery sent")
    answered = [line for line in lines_of(parts.processes["serve"]) if line["logger"] == "access"]
    assert [(line["operation"], line["outcome"]) for line in answered if line["request_id"] == "found-again.1"] == [
        ("beginMfaEnrollment", "OK"),
        ("verifyAndEnableMfa", "OK"),
    ]
    assert all(line["duration_ms"] >= 0 for line in answered)
    told = {line["event"]: line["request_id"] for line in lines_of(worker) if "request_id" in line}
    assert told == {"Event dispatched": "found-again.1", "Delivery sent": "found-again.1"}


async def test_nothing_secret_is_in_any_line_of_any_part(parts: Parts) -> None:
    for command_ in PARTS:
        await parts.start(command_, log_level="DEBUG")
    world, secrets = parts.line.world, {PASSWORD, "a wrong password"}
    await world.client().do(SIGN_IN, email=email("mia"), password="a wrong password")
    client = await world.sign_in("mia")
    factor = await world.enroll(client)
    code = await factor.code(1)
    secrets |= {str(client.token), factor.secret, code, *factor.backup_codes}
    regenerated = await client.do(REGENERATE, code=code)
    secrets |= set(regenerated.get("backupCodes", ()))
    other, token = await world.challenge("mia")
    used = factor.backup_codes[0] if "backupCodes" not in regenerated else regenerated["backupCodes"][0]
    answer = await other.do(COMPLETE, token=token, code={"backupCode": used})
    secrets |= {token, str(answer.get("sessionToken"))}
    await world.client().raw(
        f'mutation {{ signIn(input: {{email: "x@y.example", password: "{PASSWORD}"}}) {{ nonsense }} }}'
    )
    await parts.line.until(lambda: _all_ended(parts), "all emails ended")
    written = "\n".join(process.output for process in parts.processes.values())
    assert "Delivery sent" in written
    assert not {secret for secret in secrets if len(secret) > 5 and secret in written}


async def test_a_sockets_query_is_in_no_line(parts: Parts) -> None:
    await parts.start("serve", log_level="DEBUG")
    url = parts.url.replace("http", "ws", 1)
    async with connect(f"{url}/graphql?token=asked-by-a-socket", subprotocols=[PROTOCOL]) as connection:
        await connection.ping()
    with pytest.raises(InvalidStatus):
        await soon(connect(f"{url}/nowhere?token=asked-by-a-socket"))
    await parts.line.world.sign_in("mia")
    assert "asked-by-a-socket" not in await parts.processes["serve"].wait_for_output("signIn")


async def test_a_log_that_holds_what_a_test_has_used_is_found(parts: Parts, tmp_path: Path) -> None:
    await parts.start("serve")
    client = await parts.line.world.sign_in("mia")
    factor = await parts.line.world.enroll(client)
    code = await factor.code()
    key = SECRET_KEYS.partition(":")[2]
    for number, secret in enumerate((PASSWORD, str(client.token), factor.secret, factor.backup_codes[3], key)):
        leak = tmp_path / f"{number}.leak"
        leak.write_text(f"amid {secret} others")
        assert used.found_in([leak]) == [str(leak)]
    with parts.processes["serve"].log.open("a") as log:
        log.write(f"a part that says {client.token} is found\n")
    logging.getLogger("gatehouse.api").warning("so is %r in this process", {"totp": code})
    used.wrote(f"and a command that has ended: {factor.backup_codes[0]}")
    used.wrote(f"while {code} in a number is anything")
    found = set(re.findall(r"says|this process|has ended|anything", "\n".join(used.found())))
    assert found == {"says", "this process", "has ended"}
    used.begin()  # those were for this test alone


async def _all_ended(parts: Parts) -> bool:
    states = await parts.line.states()
    return set(states) == {"sent"} and states["sent"] >= 2


async def test_the_format_can_be_chosen(parts: Parts) -> None:
    await parts.start("relay", log_format="console")
    (said,) = [line for line in parts.processes["relay"].output.splitlines() if "relay ready" in line]
    assert not said.startswith("{")
    assert "\x1b" not in said  # no colours where nobody sees them


async def test_a_log_that_has_grown_too_large_is_moved_aside_while_it_is_written(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"first\n" * 10)
        processes.rotate(log, 100)
        assert (tmp_path / "part.log").read_text() == "first\n" * 10
        processes.rotate(log, 60)
        writer.write(b"second\n")
    assert log.read_text() == "second\n"
    assert (tmp_path / "part.log.1").read_text() == "first\n" * 10


async def test_a_log_that_there_is_no_room_to_move_is_emptied_all_the_same(tmp_path: Path) -> None:
    log, kept = tmp_path / "part.log", tmp_path / "part.log.1"
    kept.symlink_to("/dev/full")
    with log.open("ab", buffering=0) as writer:
        writer.write(b"first\n" * 10)
        processes.rotate(log, 60)
        writer.write(b"second\n")
    assert log.read_text() == "second\n"
    assert not kept.is_symlink()


async def test_a_log_that_somebody_has_deleted_is_none_to_move(tmp_path: Path) -> None:
    processes.rotate(tmp_path / "part.log", 60)
    assert list(tmp_path.iterdir()) == []


async def test_while_nothing_happens_no_part_writes_a_line(line: Line) -> None:
    relay, worker = await line.start("relay", "worker")
    await line.happen(await line.world.user_id("mia"))
    await line.until_all("sent", 1)
    said_before = worker.output
    (beat,) = await line.start("beat")
    for sent in (2, 3):
        # Only a sweep finds an email that waits without an event. By the second one, all that is in the timetable has
        # been begun, since beat asks for everything as it starts; and a worker ends when that has.
        await line.database.execute("UPDATE deliveries SET state = 'pending', next_attempt_at = now()")
        await line.mailbox.wait_for(sent)
        await line.until_all("sent", 1)
    assert await asyncio.to_thread(worker.stop) == 0
    said, _, _ = worker.output.removeprefix(said_before).partition("\nworker: ")  # Celery's own farewell
    assert news(map(json.loads, said.splitlines())) == ["Delivery sent"] * 2
    assert [news(lines_of(part)) for part in (relay, beat)] == [["relay ready"], ["beat ready"]]
