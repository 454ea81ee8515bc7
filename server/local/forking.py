"""Our own commands as children: on Linux forked from us, who have imported what they need.

Such a child is as one that was started anew: its environment, signals, output and end are its own.
"""

from __future__ import annotations

import atexit
import ctypes
import io
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import click

from server.local import imported, processes
from server.local.processes import Child
from telemetry import life

HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STAT = Path("/proc/self/stat")
# In it, counted from 1.
THREADS, ARGUMENTS_BEGIN, ARGUMENTS_END = 20, 48, 49
THREADS_END_S = 0.5  # those that have been waited for take a moment to be gone


class Forked:
    """A child that was forked, with what is asked of children."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit status, less than 0 when a signal ended it; None while it runs."""
        if self.returncode is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # we were started by somebody who wants to hear of none
                pid, status = self.pid, 0
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The same, once it has ended. Raises TimeoutExpired."""
        until = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            if until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(processes.LOOK_AGAIN_S)
        return status

    def send_signal(self, sig: int) -> None:
        """Send it a signal, if it runs."""
        if self.poll() is None:
            os.kill(self.pid, sig)


def start(
    arguments: Sequence[str], environment: Mapping[str, str], *, inherit: Sequence[int] = (), log: Path | None = None
) -> Child:
    """Start `gatehouse ARGUMENTS` as processes.start does, with this environment and no other."""
    if not _may_fork():
        # -P: a folder that happens to be the current one must not lend its modules.
        command = [sys.executable, "-P", "-u", "-m", imported.MAIN, *arguments]
        return processes.start(command, log, inherit=inherit, env=environment)
    with ExitStack() as stack:
        streams = [os.open(os.devnull, os.O_RDONLY), 1, 2]
        stack.callback(os.close, streams[0])
        if log is not None:
            streams[1] = streams[2] = stack.enter_context(processes.appended(log)).fileno()
        return _fork(arguments, environment, streams, inherit)


@cache
def load(names: tuple[str, ...]) -> None:
    """Import these for all children together, where they are forked."""
    if _may_fork():
        imported.load(names)


def _may_fork() -> bool:
    """Whether a fork is a whole process: a lock that another thread held at that moment would be held for ever."""
    if sys.platform != "linux" or not STAT.exists():
        return False
    until = time.monotonic() + THREADS_END_S
    while _stat(THREADS) > 1:
        if time.monotonic() > until:
            return False
        time.sleep(processes.LOOK_AGAIN_S)
    return True


def _fork(
    arguments: Sequence[str], environment: Mapping[str, str], streams: Sequence[int], inherit: Iterable[int]
) -> Child:
    die = processes.die_with_parent(signal.SIGTERM)
    # Our own handlers must not run in the child.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)

    def prepare() -> None:
        for number in HANDLED:
            if callable(signal.getsignal(number)):
                signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        if die:
            die()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.umask(processes.FOR_US_ALONE)
        for before, after in pairwise([*sorted({2, *streams, *inherit}), os.sysconf("SC_OPEN_MAX")]):
            os.closerange(before + 1, after)

    try:
        pid = os.fork()
        if not pid:
            become(arguments, environment, streams, prepare)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return Forked(pid)


def become(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    streams: Sequence[int],
    prepare: Callable[[], None] = lambda: None,
) -> NoReturn:
    """Be `gatehouse ARGUMENTS` from a fork on to the end, with these descriptors as input, output and error output."""
    status = 1
    try:
        atexit._clear()
        os.setpgid(0, 0)
        prepare()
        _show(["gatehouse", *arguments])
        _read_and_write(streams)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["gatehouse", *arguments]
        life.turn()  # we may have imported it long ago
        import_module(imported.MAIN).main(list(arguments), prog_name="gatehouse")
    except SystemExit as ended:
        status = _status_of(ended)
    except BaseException:
        traceback.print_exc()
    finally:
        _end(status)


def _read_and_write(streams: Sequence[int]) -> None:
    for target, descriptor in enumerate(streams):
        if target != descriptor:
            os.dup2(descriptor, target)
    for descriptor in {*streams} - {0, 1, 2}:
        os.close(descriptor)
    sys.stdin = os.fdopen(0, closefd=False)
    # As by -u: what is written is there at once.
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(io.FileIO(target, "w", closefd=False), errors=errors, write_through=True)
        for target, errors in ((1, None), (2, "backslashreplace"))
    )


def _status_of(ended: SystemExit) -> int:
    if ended.code is None or isinstance(ended.code, int):
        return ended.code or 0
    click.echo(ended.code, err=True)
    return 1


def _end(status: int) -> NoReturn:
    """End as the interpreter does, without going back to who has forked us."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status & 0xFF)


def _show(words: Sequence[str]) -> None:
    """Let lists of processes show these words, as many of them as our own command line has room for."""
    begin, end = _stat(ARGUMENTS_BEGIN), _stat(ARGUMENTS_END)
    if begin < end:
        text = os.fsencode(" ".join(words))[: end - begin - 2]
        # Linux shows what stands there up to the first zero when the last byte is none.
        ctypes.memmove(begin, text.ljust(end - begin - 1, b"\0") + b".", end - begin)


def _stat(field: int) -> int:
    """A number that Linux tells of this process; the fields before the third may hold anything."""
    return int(STAT.read_text().rpartition(")")[2].split()[field - 3])
