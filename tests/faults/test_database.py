"""The database restarted without a word of warning, under load: nothing committed is lost, and everything goes on."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest_asyncio

from db.migrate import migrate
from server.local import postgres, processes
from server.local.postgres import Postgres
from server.transport.headers import SECURITY_HEADERS
from tests.broker import Broker
from tests.client import SECRET_KEYS, Client, GraphQLError, http_client
from tests.line import Line, Start
from tests.operations import SIGN_IN, VERIFY, VIEWER_EMAIL, WATCH_PROGRESS, WATCH_VIEWER
from tests.parts import Mailbox
from tests.people import PASSWORD, World, begin, crowd, make_world
from tests.ports import own_port
from tests.waiting import until
from tests.watching.watch import watching

CALLERS = 6
DOWN_S = 1.5


class Restartable:
    """A durable PostgreSQL of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server: Postgres = postgres.start(folder)

    def crash(self) -> None:
        """End it as `pg_ctl stop -m immediate` does."""
        processes.stop(self.server.child, signal.SIGQUIT, 10)

    def start(self) -> None:
        """Start it again; it recovers first."""
        self.server = postgres.start(self.folder)

    async def connect(self) -> asyncpg.Connection[asyncpg.Record]:
        """A connection like the `database` fixture's."""
        connection = await asyncpg.connect(self.server.url)
        await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
        return connection


@pytest_asyncio.fixture
async def durable(
    tmp_path: Path, broker: Broker, mailbox: Mailbox, gatehouse: Start
) -> AsyncIterator[tuple[Restartable, Line]]:
    """The whole product over a database that may crash."""
    (tmp_path / "database").mkdir()
    database = Restartable(tmp_path / "database")
    await migrate(database.server.url)
    world = await make_world("", await database.connect())
    line = Line(
        world,
        mailbox,
        gatehouse,
        database_url=database.server.url,
        broker_url=broker.url,
        smtp_url=mailbox.url,
        secret_keys=SECRET_KEYS,
        port=own_port(),
    )
    world.base_url = f"http://127.0.0.1:{line.settings['port']}"
    await line.start("serve", word="Application startup complete")
    await line.start("relay", "worker", "beat")
    yield database, line
    for client in world.clients:
        await client.aclose()
    await line.database.close()
    processes.stop(database.server.child, signal.SIGQUIT, 10)


class Caller:
    """Somebody who signs in again and again, and keeps account of the answers."""

    def __init__(self, world: World, user_id: UUID, number: int) -> None:
        self.world = world
        self.user_id = user_id
        self.email = f"{number:06}@crowd.example"
        self.signed_in = 0
        self.codes: Counter[str] = Counter()
        self.answered_at = 0.0

    async def run(self) -> None:
        """Sign in until cancelled."""
        client = self.world.client()
        client.patient = False
        while True:
            try:
                answer = await client.do(SIGN_IN, email=self.email, password=PASSWORD)
                assert answer["__typename"] == "SignedIn", answer
                self.signed_in += 1
                self.answered_at = time.monotonic()
            except GraphQLError as error:
                self.codes[error.code] += 1
                await asyncio.sleep(0.05)


async def test_restarted_at_once_under_load_it_loses_no_event_and_all_go_on(durable: tuple[Restartable, Line]) -> None:
    database, line = durable
    parts = await line.start("relay", "worker")
    everybody = await crowd(line.database, line.world.account_id, 2 * CALLERS)
    callers = [Caller(line.world, user_id, number) for number, user_id in enumerate(everybody[:CALLERS])]
    people = everybody[CALLERS:]
    tasks = [asyncio.create_task(caller.run()) for caller in callers]
    await line.happen(*people)
    await asyncio.sleep(1)
    database.crash()
    await asyncio.sleep(DOWN_S)
    await asyncio.to_thread(database.start)
    back_at = time.monotonic()
    line.database = line.world.database = await database.connect()

    async def all_are_answered() -> bool:
        for task in tasks:
            assert not task.done(), task.exception()
        return all(caller.answered_at > back_at for caller in callers)

    await line.until(all_are_answered, "everybody signs in again")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert set().union(*(caller.codes for caller in callers)) == {"SERVICE_UNAVAILABLE"}
    for caller in callers:
        recorded = await line.database.fetchval(
            "SELECT count(*) FROM events WHERE type = 'SIGN_IN_SUCCEEDED' AND subject_id = $1", caller.user_id
        )
        assert recorded >= caller.signed_in > 0
    await line.happen(*people)
    await line.let_time_pass()
    await line.until_all("sent", 2 * CALLERS)
    assert all(part.child.poll() is None for part in parts)


async def test_whoever_watches_while_it_restarts_is_told_of_what_changes_afterwards(
    durable: tuple[Restartable, Line],
) -> None:
    database, line = durable
    olive, mia = await line.world.sign_in("olive"), await line.world.sign_in("mia")
    async with (
        watching(line.world, olive, WATCH_PROGRESS) as progress,
        watching(line.world, mia, WATCH_VIEWER) as viewer,
    ):
        assert (await progress.next())["enrolledCount"] == 0
        assert not (await viewer.next())["mfa"]["enabled"]
        database.crash()
        await asyncio.sleep(DOWN_S)
        database.start()
        await until(lambda: is_answered(mia), "Mia is answered again")
        _, factor = await begin(mia)
        assert (await mia.do(VERIFY, code=await factor.code()))["__typename"] == "MfaEnabled"
        assert (await progress.next())["enrolledCount"] == 1
        assert (await viewer.next())["mfa"]["enabled"]


async def test_while_it_is_away_every_path_says_so_with_the_security_headers(durable: tuple[Restartable, Line]) -> None:
    database, line = durable
    port = own_port()
    (api,) = await line.start("serve", word="Application startup complete", production=True, explorer=True, port=port)
    cookie = {"cookie": "gatehouse=gh_s_x", "graphql-require-preflight": "1", "accept": "text/html"}
    database.crash()
    async with http_client(f"http://127.0.0.1:{port}", headers=cookie) as http:
        for path in ("/healthz", "/graphql", "/graphql/assets/schema.json"):
            answer = await http.get(path)
            assert answer.status_code == 503, path
            assert [name for name in SECURITY_HEADERS if name not in answer.headers] == []
    assert "Traceback" not in api.output


async def is_answered(client: Client) -> bool:
    """Whether the database is there for this client."""
    return not (await client.raw(VIEWER_EMAIL)).get("errors")


async def test_frozen_it_holds_no_request_for_long(durable: tuple[Restartable, Line]) -> None:
    database, line = durable
    mia = await line.world.sign_in("mia", patient=False)
    backends = await line.database.fetch("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    processes_of_it = [database.server.child.pid, *(row["pid"] for row in backends)]
    for pid in processes_of_it:
        os.kill(pid, signal.SIGSTOP)
    try:
        answers = await asyncio.gather(*(mia.raw(VIEWER_EMAIL) for _ in range(30)))
    finally:
        for pid in processes_of_it:
            os.kill(pid, signal.SIGCONT)
    assert {answer["errors"][0]["extensions"]["code"] for answer in answers} == {"SERVICE_UNAVAILABLE"}
    await until(lambda: is_answered(mia), "Mia is answered again")
