"""The child processes of `gatehouse up`: started, waited for, watched, and stopped in an order that loses nothing."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from server.local import forking, postgres, processes, valkey
from server.local.data_dir import database_lock
from server.local.imported import ALL
from server.local.postgres import Postgres
from server.local.processes import Child, PartError
from server.local.valkey import Valkey

READY_LIMIT_S = 90.0  # a machine may be slow; a part that ends is noticed at once
LOOK_EVERY_S = 0.2
PARTS_GRACE_S = 9.5
STORES_GRACE_S = 3.0
HTTP_TIMEOUT_S = 2.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1, 30
STEADY_S = 60.0


@dataclass
class Part:
    """A child and the way to start it; a store is one that the others need to end well."""

    name: str
    begin: Callable[[], Child]
    log: Path
    is_store: bool
    signal: signal.Signals
    child: Child
    began_at: float
    ends: int = 0  # of late
    begins_at: float | None = None  # when it is to be started again


class Supervisor:
    """All children, in the order of their start."""

    def __init__(self, data_dir: Path, lock: int) -> None:
        self.data_dir = data_dir
        self.lock = lock
        self.parts: dict[str, Part] = {}
        self._postgres: Postgres | None = None
        self._valkey: Valkey | None = None
        self._held = ExitStack()

    def start_postgres(self) -> str:
        """Start the embedded database; its URL once it takes connections. Raises PartError."""
        lock = self._held.enter_context(database_lock(self.data_dir))

        def begin() -> Child:
            self._postgres = postgres.start(self.data_dir, lock=lock, meanwhile=partial(forking.load, ALL))
            return self._postgres.child

        self._held.callback(self._tidy_up)
        self._add("database", begin, self.data_dir / "postgres.log", True, signal.SIGINT)
        assert self._postgres is not None
        return self._postgres.url

    def _tidy_up(self) -> None:
        if self._postgres is not None:
            self._postgres.stop()  # by then ended: what is left are its folders

    def start_valkey(self) -> str:
        """Start the embedded broker; its URL, which answers within moments."""

        def begin() -> Child:
            self._valkey = valkey.start(self.data_dir, lock=self.lock, before=self._valkey)
            return self._valkey.child

        self._add("broker", begin, self.data_dir / "valkey.log", True)
        assert self._valkey is not None
        return self._valkey.url

    def launch(
        self,
        name: str,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        listeners: Mapping[str, socket.socket] | None = None,
    ) -> None:
        """Start one of our own commands under `name`, its output in a fresh NAME.log.

        `listeners` are bound sockets by the option that takes each; they stay open here, for the next who listens.
        """
        log = self.data_dir / f"{name}.log"
        log.unlink(missing_ok=True)
        sockets = listeners or {}
        options = [f"--{option}={listener.fileno()}" for option, listener in sockets.items()]
        inherit = [self.lock, *(listener.fileno() for listener in sockets.values())]
        for listener in sockets.values():
            self._held.callback(listener.close)

        def begin() -> Child:
            return forking.start([*arguments, *options], environment or os.environ, inherit=inherit, log=log)

        self._add(name, begin, log, name == "mailbox")

    def _add(
        self,
        name: str,
        begin: Callable[[], Child],
        log: Path,
        is_store: bool,
        first: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.parts[name] = Part(name, begin, log, is_store, first, begin(), time.monotonic())

    def wait_for_word(self, name: str) -> None:
        """Return once the part has written that it is ready. Raises PartError."""
        part = self.parts[name]

        def said() -> bool:
            return f"{name} ready" in part.log.read_text(errors="replace")

        processes.wait_until(said, part.child, f"The {name}", part.log, READY_LIMIT_S)

    def wait_for_api(self, host: str, port: int) -> None:
        """Return once the API says that it is healthy. Raises PartError."""
        part = self.parts["api"]
        processes.wait_until(lambda: is_healthy(host, port), part.child, "The api", part.log, READY_LIMIT_S)

    def watch(self) -> None:
        """Start again whatever ends, for ever: each time after a longer pause, until it has run for a while."""
        while True:
            for part in self.parts.values():
                self._look_after(part)
                processes.rotate(part.log)
            time.sleep(LOOK_EVERY_S)

    def _look_after(self, part: Part) -> None:
        now = time.monotonic()
        if part.begins_at is None:
            if (status := part.child.poll()) is not None:
                processes.finish(part.child, 0)  # and what it may have left in its process group
                if now - part.began_at > STEADY_S:
                    part.ends = 0
                reason = processes.last_line(part.log)
                _put_off(part, f"The {part.name} has ended with status {status} ({part.log}): {reason}")
        elif now >= part.begins_at:
            try:
                part.child = part.begin()
            except (PartError, OSError) as error:
                _put_off(part, str(error))
            else:
                part.began_at, part.begins_at = time.monotonic(), None

    def stop(self) -> None:
        """Stop every part within ten seconds: first those that work, then what they work with."""
        for are_stores, grace_s in ((False, PARTS_GRACE_S), (True, STORES_GRACE_S)):
            group = [part for part in reversed(self.parts.values()) if part.is_store is are_stores]
            for part in group:
                if part.child.poll() is None:
                    part.child.send_signal(part.signal)
            until = time.monotonic() + grace_s
            for part in group:
                last = signal.SIGQUIT if part.name == "database" else signal.SIGKILL
                processes.finish(part.child, until - time.monotonic(), last)
        self.parts.clear()
        self._held.close()


def _put_off(part: Part, reason: str) -> None:
    pause_s = min(FIRST_PAUSE_S * 2**part.ends, LONGEST_PAUSE_S)
    part.ends += 1
    part.begins_at = time.monotonic() + pause_s
    with suppress(OSError):  # on a full disk, which may be why it has ended, there is nowhere to say so
        click.echo(f"{reason.rstrip('.')}. It is started again in {pause_s:.0f} s.", err=True)


def is_healthy(host: str, port: int) -> bool:
    """Whether an API answers there, and its database does."""
    with suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection(host, port, timeout=HTTP_TIMEOUT_S)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        finally:
            connection.close()
    return False
