"""Child processes: started so that they end when we do, and stopped within a time."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import BinaryIO, Protocol

PR_SET_PDEATHSIG = 1
UNPRIVILEGED_USER = "nobody"
FOR_US_ALONE = 0o077
LOOK_AGAIN_S = 0.01
LARGEST_LOG_BYTES = 20 * 1024 * 1024


class Child(Protocol):
    """A process that we have started, as subprocess.Popen has it."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None:
        """Its exit status, less than 0 when a signal ended it; None while it runs."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """The same, once it has ended. Raises TimeoutExpired."""
        ...

    def send_signal(self, sig: int) -> None:
        """Send it a signal, if it runs."""
        ...


class PartError(Exception):
    """A part cannot run; the message is one plain sentence."""


def start(
    command: Sequence[str | Path],
    log: Path | None,
    *,
    death_signal: signal.Signals = signal.SIGTERM,
    unprivileged: bool = False,
    inherit: Sequence[int] = (),
    env: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start `command` in a process group of its own, its output in `log` or else where ours is.

    On Linux it gets `death_signal` when we die. Call it from the main thread: that signal comes when the thread that
    started the child ends. `inherit` are file descriptors that stay open in the child.
    """
    nobody = pwd.getpwnam(UNPRIVILEGED_USER) if unprivileged else None
    with appended(log) if log else nullcontext() as output, warnings.catch_warnings():
        # Later Pythons warn of preexec_fn beside threads; this one only makes a system call.
        warnings.simplefilter("ignore", DeprecationWarning)
        return subprocess.Popen(
            command,
            stdin=stdin,
            stdout=output,
            stderr=output and subprocess.STDOUT,
            preexec_fn=die_with_parent(death_signal),  # noqa: PLW1509
            pass_fds=inherit,
            env=env,
            process_group=0,
            umask=FOR_US_ALONE,
            user=nobody and nobody.pw_uid,
            group=nobody and nobody.pw_gid,
            extra_groups=[] if nobody else None,
        )


def appended(log: Path) -> BinaryIO:
    """The log, to write to its end; made for us alone."""
    return open(log, "ab", opener=_for_us_alone)


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def stop(child: Child, first: signal.Signals, grace_s: float, last: signal.Signals = signal.SIGKILL) -> None:
    """End a child and its process group: ask with `first`, after `grace_s` seconds insist with `last`."""
    if child.poll() is None:
        child.send_signal(first)
    finish(child, grace_s, last)


def finish(child: Child, grace_s: float, last: signal.Signals = signal.SIGKILL) -> None:
    """Wait for a child that was asked to end; after `grace_s` seconds insist with `last`."""
    try:
        child.wait(max(grace_s, 0))
    except subprocess.TimeoutExpired:
        child.send_signal(last)
        child.wait()
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def wait_until(ready: Callable[[], bool], child: Child, name: str, log: Path, limit_s: float) -> None:
    """Return once `ready`. Raises PartError when the child ends first or the time is over."""
    until = time.monotonic() + limit_s
    while not ready():
        if child.poll() is not None:
            raise PartError(f"{name} has ended with status {child.returncode}: {last_line(log)}")
        if time.monotonic() > until:
            raise PartError(f"{name} was not ready within {limit_s:.0f} seconds; see {log}.")
        time.sleep(LOOK_AGAIN_S)


def rotate(log: Path, most_bytes: int = LARGEST_LOG_BYTES) -> None:
    """Once it has grown too large, move what the log holds to LOG.1; whoever writes to it appends, and goes on.

    No log is worth ending for: one that there is no room to keep is emptied, and one that is gone is none.
    """
    with suppress(OSError):
        if log.stat().st_size < most_bytes:
            return
        _keep(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)


def _keep(log: Path, kept: Path) -> None:
    try:
        shutil.copyfile(log, kept)
        kept.chmod(0o600)
    except OSError:
        with suppress(OSError):
            kept.unlink()  # half of it, which takes the room of what comes


def last_line(log: Path) -> str:
    """The last line that is not empty, for a sentence about why a child has ended."""
    lines: list[str] = []
    with suppress(OSError):  # it may have been deleted
        lines = log.read_text(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "no output")


def die_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    """What a child of ours calls to get that signal when we die; None where there is no such thing."""
    if sys.platform != "linux":
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def arrange() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:
            os._exit(1)

    return arrange
