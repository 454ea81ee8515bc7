"""The real parts that tests run against: a PostgreSQL and a Valkey for each test process, databases cloned from a
migrated template, and a mailbox that speaks SMTP."""

from __future__ import annotations

import asyncio
import email
import email.policy
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from db.migrate import migrate
from server.embedded.postgres import Postgres
from server.embedded.valkey import Valkey

# Nothing a test writes must survive a power cut.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def parts_folder() -> Iterator[Path]:
    """A short-lived folder that the parts' own user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="gh-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(parts_folder: Path) -> Iterator[Postgres]:
    """A cluster of this test process's own."""
    server = Postgres(parts_folder / "pg", FAST)
    server.start()
    yield server
    server.stop()


@pytest_asyncio.fixture(scope="session")
async def administrator(postgres: Postgres) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A connection that may make databases, beside the migrated template."""
    connection = await asyncpg.connect(postgres.url("postgres"))
    await connection.execute("CREATE DATABASE template")
    await migrate(postgres.url("template"))
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def database_url(postgres: Postgres, administrator: asyncpg.Connection[asyncpg.Record]) -> AsyncIterator[str]:
    """An empty, migrated database of this test's own."""
    name = f"test_{next(_numbers)}"
    await administrator.execute(f"CREATE DATABASE {name} TEMPLATE template")
    yield postgres.url(name)
    await administrator.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def valkey(parts_folder: Path) -> Iterator[Valkey]:
    """A broker of this test process's own."""
    server = Valkey(parts_folder / "vk")
    server.start()
    yield server
    server.stop()


class Mailbox:
    """What has arrived, oldest first."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.url = ""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a message."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        message = email.message_from_bytes(content, policy=email.policy.default)
        self.recipients.extend(envelope.rcpt_tos)
        self.messages.append(message)
        return "250 OK"

    async def wait_for(self, count: int, within_s: float = 20.0) -> list[EmailMessage]:
        """The messages, once there are at least `count`."""
        for _ in range(int(within_s * 100)):
            if len(self.messages) >= count:
                return self.messages
            await asyncio.sleep(0.01)
        raise AssertionError(f"{len(self.messages)} of {count} messages came: {[m['subject'] for m in self.messages]}")

    def subjects(self, recipient: str) -> list[str]:
        """The subjects that one recipient has got, in order."""
        return [str(m["subject"]) for m in self.messages if m["to"] == recipient]


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A real SMTP server on a free port."""
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=0)
    controller.start()
    assert controller.server is not None
    box.url = f"smtp://127.0.0.1:{controller.server.sockets[0].getsockname()[1]}"
    yield box
    controller.stop()


def environment(**settings: str) -> dict[str, str]:
    """The environment of a process under test: GATEHOUSE_* only as given."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GATEHOUSE_")}
    return inherited | {f"GATEHOUSE_{name.upper()}": value for name, value in settings.items()}
