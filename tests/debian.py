"""Servers of Debian's packages, beside the embedded ones: a PostgreSQL 15, the oldest that we take, and a PgBouncer."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from server.local import processes
from tests.parts import OPTIONS
from tests.ports import own_port
from tests.waiting import LIMIT_S

BINARIES = Path("/usr/lib/postgresql/15/bin")
PGBOUNCER = "/usr/sbin/pgbouncer"
# As many servers as make clients share them, and turns that make them change: the next free one, not the last used.
POOLER_SETTINGS = """
[databases]
* = host={host} user={user} password={password}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {servers}
max_client_conn = 1000
server_round_robin = 1
server_lifetime = 3600
logfile = {folder}/log
"""


@contextmanager
def folder_of_nobody() -> Iterator[Path]:
    """A folder that a server can use which refuses to run as root; outside of pytest's, which are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-test-"))
    if is_root():
        shutil.chown(folder, processes.UNPRIVILEGED_USER)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def postgres_15(options: Sequence[str] = OPTIONS) -> Iterator[str]:
    """A PostgreSQL 15 of its own; its URL."""
    assert BINARIES.exists(), "The tests want PostgreSQL 15: apt-get install postgresql-15"
    with folder_of_nobody() as folder:
        cluster, log = folder / "cluster", folder / "log"
        initdb: list[str | Path] = [
            BINARIES / "initdb",
            "-D",
            cluster,
            "-U",
            "gatehouse",
            "--locale=C",
            "--encoding=UTF8",
        ]
        user = processes.UNPRIVILEGED_USER if is_root() else None
        subprocess.run([*initdb, "--auth=trust"], check=True, user=user, stdout=subprocess.DEVNULL, cwd="/")
        settings = ["listen_addresses=", f"unix_socket_directories={folder}", *options]
        flags = [word for setting in settings for word in ("-c", setting)]
        child = processes.start([BINARIES / "postgres", "-D", cluster, *flags], log, unprivileged=is_root())
        try:
            pid_file = cluster / "postmaster.pid"
            is_ready = lambda: pid_file.exists() and "ready" in pid_file.read_text()  # noqa: E731
            processes.wait_until(is_ready, child, "PostgreSQL 15", log, LIMIT_S)
            yield f"postgresql://gatehouse@/postgres?host={quote(str(folder))}"
        finally:
            processes.stop(child, signal.SIGQUIT, 5)


@contextmanager
def pgbouncer(url: str, servers: int) -> Iterator[str]:
    """A PgBouncer in transaction mode before the database of that URL; its URL."""
    assert Path(PGBOUNCER).exists(), "The tests want PgBouncer: apt-get install pgbouncer"
    parts = urlsplit(url)
    # The folders above the socket are closed to whoever is not root: it goes there by a descriptor.
    socket_folder = os.open(parse_qs(parts.query)["host"][0], os.O_DIRECTORY)
    host = f"/proc/self/fd/{socket_folder}"
    with folder_of_nobody() as folder:
        port, log, settings = own_port(), folder / "log", folder / "pgbouncer.ini"
        settings.write_text(
            POOLER_SETTINGS.format(
                host=host, user=parts.username, password=parts.password, port=port, servers=servers, folder=folder
            )
        )
        command: list[str | Path] = [PGBOUNCER, settings]
        child = processes.start(command, folder / "output", unprivileged=is_root(), inherit=(socket_folder,))
        os.close(socket_folder)
        try:
            is_ready = lambda: log.exists() and "process up" in log.read_text()  # noqa: E731
            processes.wait_until(is_ready, child, "PgBouncer", folder / "output", LIMIT_S)
            yield f"postgresql://{parts.username}@127.0.0.1:{port}{parts.path}"
        finally:
            processes.stop(child, signal.SIGINT, 5)


@pytest.fixture
def pooler_url(database_url: str) -> Iterator[str]:
    """The URL of the test's own database behind a PgBouncer with three servers."""
    with pgbouncer(database_url, servers=3) as url:
        yield url


@pytest.fixture(scope="session")
def oldest_url() -> Iterator[str]:
    """The URL of a PostgreSQL 15."""
    with postgres_15() as url:
        yield url


def is_root() -> bool:
    """Whether the tests run as root, as which neither PostgreSQL nor PgBouncer does."""
    return os.geteuid() == 0
