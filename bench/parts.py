"""The real parts of a measurement: a migrated database, the API as a process of its own, people, and the verdict."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from asyncpg.connection import LoggedQuery

from db.migrate import migrate
from db.pool import Connection
from rules import tokens
from server.local import postgres, processes
from server.local.supervisor import is_healthy
from server.transport.sockets import held_port, port_of

ROOT = Path(__file__).parent.parent
SECRET_KEYS = "bench:" + base64.b64encode(b"k" * 32).decode()
# Nothing outlives a bench, and no checkpoint or vacuum comes amid one: whoever fills tables vacuums them.
OPTIONS = (
    "fsync=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_wal_size=8GB",
    "checkpoint_timeout=1h",
    "autovacuum=off",
    "shared_buffers=512MB",
)
READY_LIMIT_S = 120.0
COMES_FIRST = -15


@contextmanager
def database() -> Iterator[str]:
    """The URL of an empty, migrated database on a server of its own."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as folder:
        server = postgres.start(Path(folder), options=OPTIONS)
        try:
            asyncio.run(migrate(server.url))
            yield server.url
        finally:
            server.stop()


def environment(**settings: object) -> dict[str, str]:
    """The environment of a process of the product, with these settings."""
    given = {f"GATEHOUSE_{name.upper()}": str(value) for name, value in settings.items()}
    return os.environ | {"PYTHONPATH": str(ROOT), "GATEHOUSE_SECRET_KEYS": SECRET_KEYS} | given


@contextmanager
def processes_weighed_singly() -> Iterator[None]:
    """Have the processor shared among processes rather than among sessions of them, where Linux lets us."""
    switch = Path("/proc/sys/kernel/sched_autogroup_enabled")
    try:
        before = switch.read_text()
        switch.write_text("0")
    except OSError:
        yield
        return
    try:
        yield
    finally:
        switch.write_text(before)


def come_first(pid: int, niceness: int = COMES_FIRST) -> None:
    """Let a process and those that it has begun come before what else the machine does, where that is allowed."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, niceness)
        # Linux may weigh sessions before it weighs their processes, and each of PostgreSQL's is one.
        Path(f"/proc/{pid}/autogroup").write_text(str(niceness))
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        for child in (thread / "children").read_text().split():
            come_first(int(child), niceness)


@dataclass(frozen=True)
class Server:
    """A running server."""

    pid: int
    port: int


@contextmanager
def serving(*command: str, database_url: str) -> Iterator[Server]:
    """`python -m COMMAND` over that database, once /healthz answers; it finds its port in the environment."""
    with held_port() as holder, tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as folder:
        port = port_of(holder)
        settings = {"database_url": database_url, "port": port, "log_level": "WARNING"}
        log = Path(folder) / "server.log"
        child = processes.start([sys.executable, "-m", *command], log, env=environment(**settings))
        try:
            processes.wait_until(lambda: is_healthy("127.0.0.1", port), child, command[0], log, READY_LIMIT_S)
            yield Server(child.pid, port)
        finally:
            processes.stop(child, signal.SIGTERM, 10)


@contextmanager
def api(database_url: str, *options: str) -> Iterator[Server]:
    """The API."""
    with serving("server.commands.main", "serve", *options, database_url=database_url) as server:
        yield server


async def add_account(connection: Connection, name: str, staff: int, enrolled_every: int) -> UUID:
    """An account of so many staff, in set-based statements: one owner, an admin in every 1,000, the rest members.

    Every so-manieth is enrolled, one in 5,000 has been reset. What keys and triggers see to is right by construction.
    """
    account_id: UUID = await connection.fetchval("INSERT INTO accounts (name) VALUES ($1) RETURNING id", name)
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute(
            """
            WITH people AS (
                SELECT n, gen_random_uuid() AS id, format('%s.%s@agency.example', left(md5(n::text), 6), n) AS email
                FROM generate_series(0, $2::int - 1) AS n
            ), added AS (
                INSERT INTO users (id, email, password_hash, reenrollment_required_at)
                SELECT id, $4 || email, repeat('x', 97), CASE WHEN n % 5000 = 1 AND n % $3 <> 0 THEN now() END
                FROM people
            ), enrolled AS (
                INSERT INTO factors (user_id, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id)
                SELECT id, '\\x00', 'bench', 0, decode(repeat('00', 16), 'hex'), 'bench' FROM people WHERE n % $3 = 0
            )
            INSERT INTO staff (account_id, user_id, email, role, has_mfa, codes_left, was_reset)
            SELECT $1, id, $4 || email, CASE WHEN n = 0 THEN 'OWNER' WHEN n % 1000 = 1 THEN 'ADMIN' ELSE 'MEMBER' END,
                n % $3 = 0, CASE WHEN n % $3 = 0 THEN 0 END, n % 5000 = 1 AND n % $3 <> 0
            FROM people
            """,
            account_id,
            staff,
            enrolled_every,
            name,
        )
    return account_id


async def settle(connection: Connection) -> None:
    """Bring statistics and visibility up to date, as autovacuum would have."""
    await connection.execute("VACUUM ANALYZE")


async def sent_by(connection: Connection, work: Callable[[], Awaitable[object]]) -> list[LoggedQuery]:
    """The statements that this sends over the connection."""
    sent: list[LoggedQuery] = []
    with connection.query_logger(sent.append):
        await work()
        await asyncio.sleep(0)  # the logger is called in a step of its own
    return sent


async def sign_in(connection: Connection, account_id: UUID, role: str) -> list[str]:
    """A session for each of the account's staff of that role, as signing in writes it; their tokens, by email."""
    people = await connection.fetch(
        "SELECT user_id FROM staff WHERE account_id = $1 AND role = $2 ORDER BY email", account_id, role
    )
    made = [tokens.make(tokens.SESSION_PREFIX, os.urandom(tokens.TOKEN_BYTES)) for _ in people]
    await connection.execute(
        """
        INSERT INTO sessions (user_id, token_hash, password_at, expires_at)
        SELECT user_id, token_hash, now(), now() + interval '30 days'
        FROM unnest($1::uuid[], $2::bytea[]) AS _ (user_id, token_hash)
        """,
        [person["user_id"] for person in people],
        [tokens.digest(tokens.SESSION_PREFIX, token) for token in made],
    )
    return made


def percentile(times: Sequence[float], share: float) -> float:
    """The time within which that share of all lies."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def median_ms(times: Sequence[float]) -> float:
    """The median of seconds, in milliseconds."""
    return statistics.median(times) * 1000


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under their heads: text to the left, figures to the right."""
    cells = [[f"{cell:,.2f}" if isinstance(cell, float) else str(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    for row in cells:
        first, *others = (
            cell.ljust(w) if n == 0 else cell.rjust(w) for n, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join((first, *others)))
    print()


def judge(promises: dict[str, bool]) -> None:
    """Say which promises were kept; exit with 1 when one was not."""
    for promise, was_kept in promises.items():
        print(f"{'kept  ' if was_kept else 'MISSED'}  {promise}")
    if not all(promises.values()):
        sys.exit(1)
