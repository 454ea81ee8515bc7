"""The data folder of `gatehouse up`: who uses it, what it keeps secret, and its database for operators."""

from __future__ import annotations

import base64
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from server.local import postgres
from server.local.locks import Taken, holding
from server.local.processes import FOR_US_ALONE, PartError

QUEUE_LIMIT_S = 60.0
LAST_ONE_LEAVES_S = 30.0
LEFTOVERS_END_S = 90.0  # a machine may be slow; they are waited for no longer than they last
START_LIMIT_S = 20.0
LOOK_AGAIN_S = 0.05
KEYS_FILE = "secret-keys"
# What is in the folder, closed to others even where the folder itself, which may be somebody's own, is not.
OURS = ("*.log", "*.log.1", "*.lock", "mailbox", "valkey")


def prepare(data_dir: Path) -> Path:
    """The folder's absolute path, made when it is new, for us alone. Raises PartError."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise PartError(f"The data folder {data_dir} is a file: choose another --data-dir.") from None
    for name in OURS:
        for path in data_dir.glob(name):
            if not path.is_symlink() and path.stat().st_mode & FOR_US_ALONE:  # an earlier version left it so
                path.chmod(stat.S_IMODE(path.stat().st_mode) & ~FOR_US_ALONE)
    return data_dir.resolve()


@contextmanager
def alone(data_dir: Path) -> Iterator[int]:
    """Be the only `up` of the folder; gives the descriptor of a lock that the parts hold too. Raises PartError.

    Two locks, since what a killed `up` leaves behind takes a while to end, and is waited for: another `up` is not.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(holding(data_dir / "up.lock", wait_s=1))
        except Taken:
            raise PartError(f"Another `gatehouse up` uses the data folder {data_dir}.") from None
        try:
            lock = stack.enter_context(holding(data_dir / "parts.lock", LEFTOVERS_END_S))
        except Taken:
            raise PartError(f"Parts of an earlier `gatehouse up` still run in the data folder {data_dir}.") from None
        yield lock


@contextmanager
def database_lock(data_dir: Path) -> Iterator[int]:
    """Be the one who runs the folder's database, once an operator's command or an earlier server is done with it."""
    try:
        with holding(data_dir / "postgres.lock", LAST_ONE_LEAVES_S) as lock:
            yield lock
    except Taken:
        raise PartError(f"The database of the data folder {data_dir} is in use by another process.") from None


@contextmanager
def database_for_operator(data_dir: Path) -> Iterator[str]:
    """The URL of the folder's database: the one that `up` runs, or one started for as long as this lasts."""
    data_dir = prepare(data_dir)
    try:
        with holding(data_dir / "operator.lock", QUEUE_LIMIT_S):
            yield from _running_or_started(data_dir)
    except Taken:
        raise PartError("Other operator commands take too long; try again later.") from None


def _running_or_started(data_dir: Path) -> Iterator[str]:
    with ExitStack() as stack:
        try:
            lock = stack.enter_context(holding(data_dir / "postgres.lock"))
        except Taken:  # by `up`: operators queue behind one another
            _wait_for_up(data_dir)
        else:
            stack.callback(postgres.start(data_dir, lock=lock).stop)
        yield postgres.url(data_dir)


def _wait_for_up(data_dir: Path) -> None:
    until = time.monotonic() + START_LIMIT_S
    while not postgres.is_running(data_dir):
        if time.monotonic() > until:
            raise PartError(f"The database of the data folder {data_dir} is in use but does not answer.")
        time.sleep(LOOK_AGAIN_S)


def kept_secret_keys(data_dir: Path) -> str | None:
    """The key ring that `up` keeps in the folder; None when there is none."""
    try:
        return (data_dir / KEYS_FILE).read_text().strip()
    except FileNotFoundError:
        return None


def new_secret_keys() -> str:
    """A key ring of one random key, as GATEHOUSE_SECRET_KEYS takes it."""
    return f"{secrets.token_hex(4)}:{base64.b64encode(secrets.token_bytes(32)).decode()}"
