"""Commands that start at once, forked from a process that has imported the product and done nothing else.

A part of Gatehouse imports for a second before its first line, and the tests start hundreds of them. What runs is what
`gatehouse …` runs, in a process of its own, with its own environment, output and signals. The process that they are
forked from is multiprocessing's forkserver.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import TypeVar

from server.local import forking
from server.local.imported import ALL
from server.local.processes import die_with_parent
from tests import used

ROOT = Path(__file__).parent.parent
IMPORTED = [
    *ALL,
    *(f"server.commands.{path.stem}" for path in (ROOT / "server" / "commands").glob("[!_]*.py")),
    "tests.warm",
    "tests.warmed",
]

T = TypeVar("T")

# One at a time: looking whether one of them has ended looks after all of them.
_lock = threading.RLock()
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(IMPORTED)
# Taken where this is imported: there, in the process that is forked.
_arrange = die_with_parent(signal.SIGTERM)


@dataclass(frozen=True)
class Order:
    """What to start: its arguments, its whole environment, and the files that it reads and writes."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    stdin: str
    stdout: str
    stderr: str


class Forked(forking.Forked):
    """A command that runs; its parent is not us, and tells how it ended."""

    def __init__(self, process: ForkServerProcess) -> None:
        super().__init__(process.pid or 0)
        self._process = process

    def poll(self) -> int | None:
        """Its exit status, or None while it runs."""
        if self.returncode is None:
            with _lock:
                self.returncode = self._process.exitcode
        return self.returncode


def start(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdout: Path,
    stderr: Path | None = None,
    stdin: Path = Path(os.devnull),
) -> Forked:
    """Start `gatehouse ARGUMENTS`."""
    stdout.touch()
    order = Order(list(arguments), dict(environment), str(stdin), str(stdout), str(stderr or stdout))
    process = _context.Process(target=_run, args=(order,), daemon=True)
    with _lock:
        process.start()
    child = Forked(process)
    for log in {stdout, stderr or stdout}:
        used.watch(log, lambda: child.poll() is None)
    return child


def apart(function: Callable[..., T], *arguments: object) -> T:
    """What the function returns in such a process, in which nothing else runs. Raises EOFError when it fails there."""
    here, there = _context.Pipe(duplex=False)
    process = _context.Process(target=_tell, args=(there, function, arguments))
    with here, _lock:
        process.start()
        there.close()
        told: T = here.recv()
        process.join()
    return told


def _tell(there: Connection, function: Callable[..., object], arguments: Sequence[object]) -> None:
    there.send(function(*arguments))


def _run(order: Order) -> None:
    """Become `gatehouse …`: never returns."""
    written = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    files = ((order.stdin, os.O_RDONLY), (order.stdout, written), (order.stderr, written))
    streams = [os.open(name, flags, 0o600) for name, flags in files]
    forking.become(order.arguments, order.environment, streams, _arrange or (lambda: None))
