"""How fast a worker sends, with all its bookkeeping, beside a bare loop of smtplib over one connection to one sink.

Promise: one worker process reaches at least half of the bare loop, which sends the same mails made beforehand.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import smtplib
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from pathlib import Path

import asyncpg

from bench import parts, sink
from db.pool import open_database
from rules.events.catalogue import samples
from rules.events.policy import PolicyEnabled
from server.local import processes, valkey
from settings import Settings
from workers.dispatching import Dispatcher
from workers.emails import Brand, Facts, PageUrls, render

MAILS = 5_000
LEAST_SHARE = 0.5
PATIENCE_S = 120


class Server:
    """A sink in a process of its own."""

    def __init__(self, *, is_quick: bool) -> None:
        self.pipe, theirs = multiprocessing.Pipe()
        spawning = multiprocessing.get_context("spawn")
        self.process = spawning.Process(target=sink.serve, args=(theirs, is_quick), daemon=True)
        self.process.start()
        self.port: int = self.pipe.recv()

    def arrived(self) -> list[float]:
        """When each message came that came since this was asked last."""
        self.pipe.send(True)
        times: list[float] = self.pipe.recv()
        return times

    def wait_for(self, count: int) -> float:
        """Messages a second, from the first to the last of so many."""
        times: list[float] = []
        until = time.monotonic() + PATIENCE_S
        while len(times) < count:
            if time.monotonic() > until:
                sys.exit(f"Only {len(times):,} of {count:,} mails came.")
            time.sleep(0.1)
            times += self.arrived()
        return (count - 1) / (times[-1] - times[0])

    def stop(self) -> None:
        """End it."""
        self.pipe.send(False)
        self.process.join(5)


def bare_loop(port: int) -> None:
    """Send as many mails as smtplib can over one connection."""
    mails = [made(number).as_bytes(policy=policy.SMTP) for number in range(100)]
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        for number in range(MAILS):
            smtp.sendmail("a@gatehouse.example", f"{number}@gatehouse.example", mails[number % 100])


def made(number: int) -> EmailMessage:
    """The mail that the worker will send, too."""
    facts = Facts(
        event=samples(PolicyEnabled)["policy_enabled"],
        occurred_at=datetime.now(UTC),
        account_name="Agency",
        recipient=f"{number}@gatehouse.example",
        delivery_id=number,
        public_url="https://gatehouse.example",
        sender="Gatehouse <no-reply@gatehouse.example>",
        pages=PageUrls(*["https://gatehouse.example/account/security"] * 3),
        brand=Brand.of(Settings()),
    )
    return render("policy_enabled", facts)


async def write_deliveries(url: str) -> None:
    """Let an account of so many staff require MFA, and write the deliveries of its announcement."""
    connection = await asyncpg.connect(url)
    account_id = await parts.add_account(connection, "agency", MAILS, MAILS + 1)
    await connection.execute("DELETE FROM factors")
    await connection.execute("UPDATE users SET reenrollment_required_at = NULL")
    event_id = await connection.fetchval(
        """
        WITH required AS (
            UPDATE accounts SET required_since = now(), grace_days = 7, announced_at = now(),
                grace_deadline = now() + 7 * interval '24 hours'
            WHERE id = $1 RETURNING id, required_since, grace_deadline
        )
        INSERT INTO events (type, account_id, data)
        SELECT 'POLICY_ENABLED', id, jsonb_build_object('graceDays', 7, 'deadline', grace_deadline,
            'requiredSince', required_since) FROM required
        RETURNING id
        """,
        account_id,
    )
    await parts.settle(connection)
    await connection.close()
    database = await open_database(url, 1)
    while (await Dispatcher().dispatch(database, event_id)).is_unfinished:
        pass
    await database.close()


@contextmanager
def worker(url: str, smtp_port: int, names: tuple[str, ...] = ("worker", "beat"), **settings: str) -> Iterator[None]:
    """One worker process, and a beat that wakes it, or whichever parts are named."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as folder:
        broker = valkey.start(Path(folder))
        broker.wait_until_ready()
        smtp_url = f"smtp://127.0.0.1:{smtp_port}"
        environment = parts.environment(database_url=url, broker_url=broker.url, smtp_url=smtp_url, **settings)
        children = [
            processes.start(
                [sys.executable, "-m", "server.commands.main", name], Path(folder) / f"{name}.log", env=environment
            )
            for name in names
        ]
        try:
            yield
        finally:
            for child in children:
                processes.stop(child, signal.SIGTERM, 10)
            broker.stop()


def compare(*, is_quick: bool) -> tuple[float, float]:
    """Mails a second of the bare loop, measured before and after, and of a worker."""
    server = Server(is_quick=is_quick)
    bare_loop(server.port)
    before = server.wait_for(MAILS)
    with parts.database() as url:
        asyncio.run(write_deliveries(url))
        with worker(url, server.port):
            ours = server.wait_for(MAILS)
    bare_loop(server.port)
    after = server.wait_for(MAILS)
    server.stop()
    return (before + after) / 2, ours


def main() -> None:
    """Measure both, and say how they compare."""
    shares, rows = {}, []
    for name, is_quick in (("aiosmtpd", False), ("a server that costs nothing", True)):
        bare, ours = compare(is_quick=is_quick)
        shares[name] = ours / bare
        rows += [[f"bare loop of smtplib to {name}", bare, 1.0], [f"one worker to {name}", ours, shares[name]]]
    parts.table(["", "mails/s", "share"], rows)
    parts.judge({f"a worker reaches {LEAST_SHARE} of a bare loop to a real server": shares["aiosmtpd"] >= LEAST_SHARE})


if __name__ == "__main__":
    main()
