"""Several of each part behind PgBouncer, killed in turn while people go on: nothing is lost, and nothing comes twice
beyond what the operators' page allows.

SCALE_OUT_PEOPLE=250 uv run pytest -n0 tests/running/test_scale_out.py: a thousand changes.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import pytest

from tests.account.acts import save
from tests.client import Client, http_client
from tests.line import Line
from tests.operations import BEGIN, REGENERATE, SIGN_IN, VERIFY
from tests.parts import Process
from tests.people import PASSWORD, Factor, crowd
from tests.ports import own_port
from tests.waiting import until

PEOPLE = int(os.environ.get("SCALE_OUT_PEOPLE", "8"))
AT_ONCE = 8
POOLED = 3  # the servers of the pooler that the tests start
CONCURRENCY = 4
PARTS = (("serve", 2), ("relay", 2), ("worker", 3), ("beat", 2))
KILLED = (("serve", 0), ("relay", 0), ("worker", 0), ("beat", 0), ("worker", 1), ("serve", 1), ("relay", 1))


@dataclass
class Fleet:
    """Several of each part. One that was killed is started again where it was."""

    line: Line
    ports: list[int] = field(default_factory=list)
    running: dict[tuple[str, int], Process] = field(default_factory=dict)

    async def start(self, command: str, number: int) -> None:
        """Start one part."""
        word = "Application startup complete" if command == "serve" else ""
        port = {"port": self.ports[number]} if command == "serve" else {}
        (self.running[command, number],) = await self.line.start(command, word=word, **port)

    async def kill(self, command: str, number: int) -> None:
        """Kill one part and start another in its place."""
        self.running[command, number].kill()
        await self.running[command, number].wait()
        await self.start(command, number)


@dataclass
class Tally:
    """What was acknowledged, by its result, and what was sent and never answered."""

    acknowledged: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)


class Person:
    """One of the crowd, who asks the other API when the one does not answer."""

    def __init__(self, fleet: Fleet, tally: Tally, number: int) -> None:
        self.tally = tally
        self.number = number
        urls = [f"http://127.0.0.1:{port}" for port in fleet.ports]
        self.apis = [Client(http_client(url)) for url in urls]

    async def ask(self, mutation: str, wanted: str, **variables: Any) -> dict[str, Any]:
        """Ask until there is an answer; what it says."""
        while True:
            try:
                answer = await self.apis[self.number % 2].do(mutation, **variables)
            except httpx.TransportError:
                self.tally.unknown[wanted] += 1
                self.number += 1
                await asyncio.sleep(0.05)
                continue
            if answer["__typename"] == wanted:
                self.tally.acknowledged[wanted] += 1
            return answer

    async def live(self, email: str) -> None:
        """Sign in, enroll, and make new backup codes."""
        signed_in = await self.ask(SIGN_IN, "SignedIn", email=email, password=PASSWORD)
        for api in self.apis:
            api.token = signed_in["sessionToken"]
        begun = await self.ask(BEGIN, "MfaEnrollment")
        app = Factor(begun["manualEntryKey"].replace(" ", ""), [])
        # While the one API is gone and the other slow, a code may have become too old: then it is the next one's turn.
        while (await self.ask(VERIFY, "MfaEnabled", code=await app.code(-1)))["__typename"] == "InvalidCode":
            pass
        await self.ask(REGENERATE, "BackupCodesRegenerated", code=await app.code())
        for api in self.apis:
            await api.http.aclose()


@pytest.mark.long
async def test_whatever_is_killed_nothing_is_lost_and_hardly_anything_comes_twice(
    line: Line, pooler_url: str, database_url: str
) -> None:
    line.settings |= {"database_url": pooler_url, "database_direct_url": database_url}
    fleet, tally = Fleet(line, [own_port(), own_port()]), Tally()
    await asyncio.gather(*(fleet.start(command, number) for command, count in PARTS for number in range(count)))
    await crowd(line.database, line.world.account_id, PEOPLE)
    emails = [f"{number:06}@crowd.example" for number in range(PEOPLE)]
    line.world.base_url = f"http://127.0.0.1:{fleet.ports[0]}"
    olive = await line.world.sign_in("olive")
    await save(olive, line.world, True, 7)
    turns = asyncio.Semaphore(AT_ONCE)

    async def live(number: int) -> None:
        async with turns:
            await Person(fleet, tally, number).live(emails[number])

    def is_due(count: int) -> bool:
        return tally.acknowledged.total() >= count or all(one.done() for one in lives)

    lives = [asyncio.create_task(live(number)) for number in range(PEOPLE)]
    for index, (command, number) in enumerate(KILLED):
        await until(partial(is_due, index * 4 * PEOPLE // len(KILLED)), "the next one's turn")
        await fleet.kill(command, number)
    await asyncio.gather(*lives)

    # Nothing that was acknowledged is lost, and nothing was done that nobody asked for.
    for wanted, kind in (("MfaEnabled", "MFA_ENABLED"), ("BackupCodesRegenerated", "BACKUP_CODES_REGENERATED")):
        done = len(await line.world.events(kind))
        assert tally.acknowledged[wanted] <= done <= tally.acknowledged[wanted] + tally.unknown[wanted]
    assert len(await line.world.events("MFA_ENABLED")) == PEOPLE

    async def is_all_told() -> bool:
        # Whoever lives has renewed its claim by then; what the dead have left need not wait for its half-minute.
        await line.database.execute(
            "UPDATE deliveries SET claimed_at = claimed_at - interval '31 s' "
            "WHERE state = 'sending' AND claimed_at < now() - interval '12 s'"
        )
        waiting = await line.database.fetchval("SELECT count(*) FROM events WHERE dispatched_at IS NULL")
        return not waiting and set(await line.states()) <= {"sent", "dropped"}

    await line.until(is_all_told, "every event is dispatched and every email has ended")
    came = Counter(str(message["message-id"]).split(".")[0] for message in line.mailbox.messages)
    sent = await line.database.fetch("SELECT '<delivery-' || id AS name FROM deliveries WHERE state = 'sent'")
    assert {row["name"] for row in sent} <= came.keys()
    assert max(came.values()) <= 2
    killed_workers = sum(command == "worker" for command, _ in KILLED)
    assert sum(times - 1 for times in came.values()) <= killed_workers * CONCURRENCY
    for each in emails:
        assert "MFA is on for your sign-in" in line.mailbox.subjects(each)
    # As docs/operations.md counts them: what the pooler holds, and those that listen.
    connections = await line.database.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert connections <= POOLED + sum(count for command, count in PARTS if command in {"serve", "relay"})
