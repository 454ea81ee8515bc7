"""Servers of Debian's packages, beside the embedded ones: a PostgreSQL 15, the oldest that Gatehouse takes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from server.local import processes
from tests.parts import OPTIONS
from tests.waiting import LIMIT_S

BINARIES = Path("/usr/lib/postgresql/15/bin")


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


@pytest.fixture(scope="session")
def oldest_url() -> Iterator[str]:
    """The URL of a PostgreSQL 15."""
    with postgres_15() as url:
        yield url


def is_root() -> bool:
    """Whether the tests run as root, as which neither PostgreSQL nor PgBouncer does."""
    return os.geteuid() == 0
