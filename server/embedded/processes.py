"""Child processes that end when we do, whatever ends us."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
STOP_WITHIN_S = 8.0


class PartError(Exception):
    """A part did not start or has ended; the message is one plain sentence."""


def start(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
    death_signal: int = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, its output in `log`. Call from the main thread.

    The kernel sends the child `death_signal` when the thread that forked it ends, hence the main one.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            user=user,
            group=user and _group_of(user),
            extra_groups=[] if user else None,
            start_new_session=True,
            preexec_fn=_die_with_parent(death_signal),  # noqa: PLW1509 - only a system call between fork and exec
        )


def stop(process: subprocess.Popen[bytes], with_signal: int = signal.SIGTERM, within_s: float = STOP_WITHIN_S) -> None:
    """End a child and wait for it; what has not ended in time is killed."""
    if process.poll() is None:
        process.send_signal(with_signal)
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], name: str, log: Path, within_s: float = 20.0
) -> None:
    """Wait until `ready`. Raises PartError when the child ends first or time runs out."""
    deadline = time.monotonic() + within_s
    while not ready():
        if process.poll() is not None:
            raise PartError(f"{name} has ended with status {process.returncode}: {last_line(log)}")
        if time.monotonic() > deadline:
            raise PartError(f"{name} did not start within {within_s:.0f} seconds: {last_line(log)}")
        time.sleep(0.01)


def last_line(log: Path) -> str:
    """The last line of a part's log, or that it said nothing."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()] if log.exists() else []
    return lines[-1][:300] if lines else "it said nothing."


def _die_with_parent(death_signal: int) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)

    def preexec() -> None:
        libc.prctl(PR_SET_PDEATHSIG, death_signal)

    return preexec


def _group_of(user: str) -> int:
    return pwd.getpwnam(user).pw_gid
