"""The real parts that tests run against: a PostgreSQL and a Valkey per test process, a mail server, our commands."""

from __future__ import annotations

import asyncio
import email
import email.policy
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

import pytest
import pytest_asyncio
import redis
from aiosmtpd.smtp import SMTP, Envelope, Session

from server.local import postgres as embedded_postgres
from server.local import processes
from server.local import valkey as embedded_valkey
from server.local.postgres import Postgres
from server.local.processes import Child
from server.local.valkey import Valkey
from tests import used, warm
from tests.waiting import until
from tests.warm import ROOT

PATIENCE_S = 10  # with a process that a test is done with, before it is killed
# Tests never survive a power cut, so nothing needs to.
OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off", "max_connections=200")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """This test process's own PostgreSQL."""
    folder = tmp_path_factory.mktemp("postgres")
    server = embedded_postgres.start(folder, options=OPTIONS)
    used.watch(folder / "postgres.log", lambda: True)
    yield server
    processes.stop(server.child, signal.SIGQUIT, 5)


@pytest.fixture(scope="session")
def embedded_url(postgres: Postgres) -> str:
    """The URL of this test process's own PostgreSQL."""
    return postgres.url


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """This test process's own Valkey."""
    server = embedded_valkey.start(tmp_path_factory.mktemp("valkey"))
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()


@pytest.fixture
def broker_url(valkey: Valkey) -> str:
    """The URL of an empty broker."""
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
    return valkey.url


async def _nothing(*_: object) -> None:
    """No refusal, and nothing to wait for."""


@dataclass
class Mailbox:
    """What has arrived, oldest first.

    `reply_to_rcpt` and `reply_to_data` may take their time, end the connection, or give a refusal to answer with;
    `after_data` may hold back the word that a message was taken.
    """

    url: str = ""
    messages: list[EmailMessage] = field(default_factory=list)
    arrived_at: list[float] = field(default_factory=list)  # time.monotonic()
    connections: int = 0
    reply_to_rcpt: Callable[[SMTP, str], Awaitable[str | None]] = _nothing
    reply_to_data: Callable[[SMTP, Envelope], Awaitable[str | None]] = _nothing
    after_data: Callable[[EmailMessage], Awaitable[None]] = _nothing

    async def wait_for(self, count: int) -> list[EmailMessage]:
        """The messages, once there are at least `count`."""
        await until(
            lambda: len(self.messages) >= count,
            lambda: f"{count} messages; there are {[str(message['subject']) for message in self.messages]}",
        )
        return self.messages

    async def wait_for_mail(self, recipient: str, count: int) -> None:
        """Return once one recipient has got `count` messages, whoever else is told meanwhile."""
        await until(
            lambda: len(self.subjects(recipient)) >= count,
            lambda: f"{count} messages for {recipient}; there are {self.subjects(recipient)}",
        )

    async def mail(self, recipient: str, subject: str) -> EmailMessage:
        """The newest that one recipient has got with a subject that begins so, once there is one."""
        found: list[EmailMessage] = []

        def is_there() -> bool:
            found[:] = [
                each for each in self.messages if each["to"] == recipient and each["subject"].startswith(subject)
            ]
            return bool(found)

        await until(is_there, lambda: f"{subject!r} for {recipient}; there are {self.subjects(recipient)}")
        return found[-1]

    def subjects(self, recipient: str) -> list[str]:
        """The subjects that one recipient has got, in order."""
        return [str(message["subject"]) for message in self.messages if message["to"] == recipient]

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient."""
        if refusal := await self.reply_to_rcpt(server, address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a message."""
        if refusal := await self.reply_to_data(server, envelope):
            return refusal
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.messages.append(message)
        used.note_tokens(str(message.get_body(("plain",)) or ""))
        self.arrived_at.append(time.monotonic())
        await self.after_data(message)
        return "250 OK"


def body_of(message: EmailMessage, kind: str = "plain") -> str:
    """The text of a message's plain or html alternative."""
    part = message.get_body((kind,))
    assert isinstance(part, EmailMessage), f"There is no {kind} part."
    return str(part.get_content())


@pytest_asyncio.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """A real SMTP server that keeps what it is sent."""
    mailbox = Mailbox()

    def connected() -> SMTP:
        mailbox.connections += 1
        return SMTP(mailbox, hostname="localhost", ident="test", enable_SMTPUTF8=True)

    server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", 0)
    mailbox.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield mailbox
    server.close()


@dataclass
class Process:
    """A running `gatehouse …`; what it writes, standard error included, goes to `log`."""

    command: str
    child: Child
    log: Path

    @property
    def output(self) -> str:
        """What it has written so far."""
        return self.log.read_text(errors="replace")

    async def wait_for_output(self, text: str) -> str:
        """Its output, once `text` is in it; fails when the process ends before."""

        def is_written() -> bool:
            if text in self.output:
                return True
            assert self.child.poll() is None, f"gatehouse {self.command} ended:\n{self.output}"
            return False

        await until(is_written, lambda: f"{text!r} of gatehouse {self.command}:\n{self.output}")
        return self.output

    async def wait(self) -> int:
        """Its exit status, once it has ended."""
        await until(
            lambda: self.child.poll() is not None, lambda: f"the end of gatehouse {self.command}:\n{self.output}"
        )
        return self.child.wait()

    def kill(self) -> None:
        """Let it end between any two lines."""
        self.child.send_signal(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end, then insist; its exit status."""
        processes.stop(self.child, signal.SIGTERM, PATIENCE_S)
        return self.child.wait()


@pytest_asyncio.fixture
async def gatehouse(tmp_path: Path) -> AsyncIterator[Callable[..., Process]]:
    """Starts `gatehouse ARGUMENTS` in the background with an `environment`; all end with the test.

    None of them may have written a secret that the test has used.
    """
    started: list[Process] = []

    def start(*arguments: str, env: Mapping[str, str] | None = None, inherit: Sequence[int] = ()) -> Process:
        """`env` is the whole environment, as from `environment`; `inherit` are descriptors that stay open."""
        log = tmp_path / f"gatehouse-{arguments[0]}-{len(started)}.log"
        env = env if env is not None else environment()
        child: Child
        if inherit:
            child = processes.start(
                [sys.executable, "-m", "server.commands.main", *arguments], log, env=env, inherit=inherit
            )
            used.watch(log)
        else:
            child = warm.start(arguments, env, stdout=log)
        started.append(Process(" ".join(arguments), child, log))
        return started[-1]

    yield start
    # In threads, since what they wait for may be a server in this one.
    await asyncio.gather(*(asyncio.to_thread(process.stop) for process in started))
    for process in started:
        # `up` itself prints the demo account's password; its parts write elsewhere.
        if process.command.startswith("up "):
            used.forget(process.log)
    for log in {*tmp_path.rglob("*.log")} - {process.log for process in started}:
        used.watch(log)


def environment(**settings: object) -> dict[str, str]:
    """The environment of a process under test: GATEHOUSE_* only as given; the project importable from any folder."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GATEHOUSE_")}
    given = {f"GATEHOUSE_{name.upper()}": str(value) for name, value in settings.items()}
    used.note_environment(given)
    return inherited | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | given
