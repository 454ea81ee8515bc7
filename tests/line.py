"""The mail line from the outbox to the mailbox, as real processes that a test may kill, freeze and start again."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from db import outbox
from rules.clients import Client
from rules.events.mfa import MfaEnabled
from rules.events.policy import GraceReminderSent
from tests.broker import Broker
from tests.client import SECRET_KEYS
from tests.parts import Mailbox, Process, environment
from tests.people import World, make_world, require_mfa
from tests.waiting import until

Start = Callable[..., Process]


class Line:
    """The parts between an event and its email, over one database, broker and mail server."""

    def __init__(self, world: World, mailbox: Mailbox, gatehouse: Start, **settings: object) -> None:
        self.world = world
        self.database = world.database
        self.mailbox = mailbox
        self.settings = settings
        self._gatehouse = gatehouse

    async def start(self, *commands: str, word: str = "", **settings: object) -> list[Process]:
        """Start these parts and wait until each has said that it is ready, or `word`."""
        env = environment(**(self.settings | settings))
        processes = [self._gatehouse(command, env=env) for command in commands]
        for process in processes:
            await process.wait_for_output(word or f"{process.command} ready")
        return processes

    async def happen(self, *user_ids: UUID) -> None:
        """Let each of these people turn on MFA, in one transaction."""
        client = Client(None, None)
        events = [MfaEnabled(subject_id=user_id, actor_id=user_id, client=client) for user_id in user_ids]
        async with self.database.transaction():
            await give_factors(self.database, user_ids)
            await outbox.append_all(self.database, events)

    async def states(self) -> dict[str, int]:
        """How many deliveries are in which state."""
        return Counter(row["state"] for row in await self.database.fetch("SELECT state FROM deliveries"))

    async def until(self, holds: Callable[[], Awaitable[object]], what: str) -> None:
        """Return once `holds` does."""
        seen: dict[str, int] = {}

        async def do_hold() -> object:
            seen.clear()
            seen.update(await self.states())
            return await holds()

        await until(do_hold, lambda: f"{what}; deliveries are {seen}")

    async def until_all(self, state: str, count: int) -> None:
        """Return once that many deliveries are in the state, and none in another."""

        async def holds() -> bool:
            return await self.states() == {state: count}

        await self.until(holds, f"{count} {state}")

    async def until_waiting_for_a_lock(self, name: str) -> int:
        """Return once a process of this name waits for a lock in the database; its backend's id."""
        found: list[int] = []

        async def holds() -> bool:
            found[:] = [
                row["pid"]
                for row in await self.database.fetch(
                    "SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'", name
                )
            ]
            return bool(found)

        await self.until(holds, f"{name} waits for a lock")
        return found[0]

    async def let_time_pass(self, *, of_claims: bool = False) -> None:
        """Move stored times so far back that pauses have ended and hand-overs are late; and claims over, if asked.

        Those of a sender that lives are renewed before they are over: taken over amid a mail, it would come twice.
        """

        async def moved() -> bool:
            # It takes all rows, and so may meet in a deadlock with who takes some of them: then once more.
            with suppress(asyncpg.DeadlockDetectedError):
                await self._move_times(of_claims)
                return True
            return False

        await until(moved, "the stored times are moved")

    async def _move_times(self, of_claims: bool) -> None:
        if of_claims:
            await self.database.execute(
                "UPDATE deliveries SET claimed_at = claimed_at - interval '31 s' WHERE state = 'sending'"
            )
        await self.database.execute("UPDATE deliveries SET next_attempt_at = now() WHERE state = 'pending'")
        await self.database.execute(
            "UPDATE events SET handed_at = handed_at - interval '61 s' WHERE dispatched_at IS NULL"
        )


async def give_factors(database: asyncpg.Connection[asyncpg.Record], user_ids: Sequence[UUID]) -> None:
    """Let these people be enrolled, by a secret that nobody knows."""
    await database.execute(
        "INSERT INTO factors (user_id, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id) "
        "SELECT unnest($1::uuid[]), '', 'test', 0, decode(repeat('00', 16), 'hex'), 'test' ON CONFLICT DO NOTHING",
        list(user_ids),
    )


async def remind_mia(line: Line) -> None:
    """Let Mia be reminded by hand."""
    policy = await require_mfa(line.database, line.world.account_id, days_ago=2, grace_days=7)
    assert policy.required_since is not None
    assert policy.deadline is not None
    reminder = GraceReminderSent(
        account_id=line.world.account_id,
        subject_id=await line.world.user_id("mia"),
        required_since=policy.required_since,
        deadline=policy.deadline,
        days_left=5,
        manual=True,
    )
    await outbox.append(line.database, reminder)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A Valkey of the test's own, to be stopped, frozen and emptied."""
    broker = Broker(tmp_path / "broker")
    broker.start()
    yield broker
    broker.stop()


@pytest_asyncio.fixture
async def line(
    database_url: str,
    database: asyncpg.Connection[asyncpg.Record],
    broker: Broker,
    mailbox: Mailbox,
    gatehouse: Start,
) -> AsyncIterator[Line]:
    """The cast, and a line with none of its parts started."""
    world = await make_world("", database)
    yield Line(
        world,
        mailbox,
        gatehouse,
        database_url=database_url,
        broker_url=broker.url,
        smtp_url=mailbox.url,
        secret_keys=SECRET_KEYS,
    )
    for client in world.clients:
        await client.aclose()
