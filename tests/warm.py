"""Commands that start at once, forked from a process that has imported the product and done nothing else.

A part of Gatehouse imports for a second before its first line, and the tests start hundreds of them. What runs is what
`gatehouse …` runs, in a process of its own, with its own environment, output and signals.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from server.local.processes import die_with_parent
from tests import used

ROOT = Path(__file__).parent.parent
IMPORTED = (
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.concurrency.thread",
    "kombu.transport.redis",
    "server.app",
    *(f"server.commands.{path.stem}" for path in (ROOT / "server" / "commands").glob("[!_]*.py")),
    "server.transport.serving",
    "uvicorn.lifespan.on",
    "workers.processes",
    "workers.relay",
)
LOOK_AGAIN_S = 0.005


@dataclass(frozen=True)
class Order:
    """What to start: its arguments, its whole environment, and the files that it reads and writes."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    stdin: str
    stdout: str
    stderr: str


@dataclass
class Warm:
    """The process that commands are forked from."""

    ended: dict[int, int] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None
    _socket: socket.socket | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def start(
        self,
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
        with self._lock:
            channel = self._connected()
            _send(channel, pickle.dumps(order))
            while True:
                kind, *values = pickle.loads(_receive(channel))
                if kind == "started":
                    break
                self.ended[values[0]] = values[1]
        child = Forked(self, values[0], arguments)
        for log in {stdout, stderr or stdout}:
            used.watch(log, lambda: child.poll() is None)
        return child

    def look(self) -> None:
        """Hear who has ended meanwhile."""
        with self._lock:
            channel = self._connected()
            while select.select([channel], [], [], 0)[0]:
                _, pid, status = pickle.loads(_receive(channel))
                self.ended[pid] = status

    def stop(self) -> None:
        """End it, and whatever it still has to do with."""
        if self._process is not None and self._socket is not None:
            self._socket.close()
            self._process.wait(10)

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "tests.warm", str(theirs.fileno())], cwd=ROOT, pass_fds=[theirs.fileno()]
                )
        return self._socket


class Forked(subprocess.Popen[bytes]):
    """A command that runs, with what tests ask of it; its parent is not us, and tells how it ended."""

    def __init__(self, warm: Warm, pid: int, arguments: Sequence[str]) -> None:
        self._child_created = False  # for what Popen does when it is forgotten
        self.args = list(arguments)
        self.pid = pid
        self.returncode: Any = None
        self.stdin = self.stdout = self.stderr = None
        self._warm = warm

    def poll(self) -> int | None:
        """Its exit status, or None while it runs."""
        if self.returncode is None:
            self._warm.look()
            self.returncode = self._warm.ended.pop(self.pid, None)
        return self.returncode  # type: ignore[no-any-return]

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, once it has ended. Raises TimeoutExpired."""
        until = time.monotonic() + (timeout if timeout is not None else 3600)
        while (status := self.poll()) is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            time.sleep(LOOK_AGAIN_S)
        return status

    def send_signal(self, sig: int) -> None:
        """Send it a signal, if it runs."""
        if self.poll() is None:
            os.kill(self.pid, sig)


WARM = Warm()


def _send(channel: socket.socket, content: bytes) -> None:
    channel.sendall(struct.pack("!I", len(content)) + content)


def _receive(channel: socket.socket) -> bytes:
    (length,) = struct.unpack("!I", _exactly(channel, 4))
    return _exactly(channel, length)


def _exactly(channel: socket.socket, count: int) -> bytes:
    content = b""
    while len(content) < count:
        more = channel.recv(count - len(content))
        if not more:
            raise EOFError
        content += more
    return content


def _serve(channel: socket.socket) -> None:
    """Fork for each order, and tell of everyone who has ended, until nobody orders any more."""
    running: set[int] = set()
    arrange = die_with_parent(signal.SIGTERM)
    while True:
        if select.select([channel], [], [], LOOK_AGAIN_S)[0]:
            try:
                order: Order = pickle.loads(_receive(channel))
            except EOFError:
                return
            pid = os.fork()
            if not pid:
                _run(order, channel, arrange)
            running.add(pid)
            _send(channel, pickle.dumps(("started", pid)))
        for pid in list(running):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                running.discard(pid)
                _send(channel, pickle.dumps(("ended", pid, os.waitstatus_to_exitcode(status))))


def _run(order: Order, channel: socket.socket, arrange: Callable[[], None] | None) -> None:
    """Become `gatehouse …`: never returns."""
    status: Any = 1
    try:
        channel.close()
        os.setpgid(0, 0)
        if arrange:
            arrange()
        for target, name, flags in (
            (0, order.stdin, os.O_RDONLY),
            (1, order.stdout, os.O_WRONLY | os.O_CREAT | os.O_APPEND),
            (2, order.stderr, os.O_WRONLY | os.O_CREAT | os.O_APPEND),
        ):
            descriptor = os.open(name, flags, 0o600)
            os.dup2(descriptor, target)
            os.close(descriptor)
        os.environ.clear()
        os.environ.update(order.environment)
        from server.commands.main import main

        main(list(order.arguments), prog_name="gatehouse")
    except SystemExit as ended:
        status = ended.code or 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status if isinstance(status, int) else 1)


if __name__ == "__main__":
    for name in IMPORTED:
        import_module(name)
    _serve(socket.socket(fileno=int(sys.argv[1])))
