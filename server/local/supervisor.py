"""The child processes of `gatehouse up`: started, waited for, watched, and stopped in an order that loses nothing."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from server.local import postgres, processes, valkey
from server.local.data_dir import database_lock
from server.local.processes import Child, PartError
from server.local.valkey import Valkey

READY_LIMIT_S = 30.0
LOOK_EVERY_S = 0.2
PARTS_GRACE_S = 6.5
STORES_GRACE_S = 3.0
HTTP_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class Part:
    """A running child; a store is one that the others need to end well."""

    name: str
    child: Child
    log: Path
    is_store: bool
    signal: signal.Signals = signal.SIGTERM


class Supervisor:
    """All children, in the order of their start."""

    def __init__(self, data_dir: Path, lock: int) -> None:
        self.data_dir = data_dir
        self.lock = lock
        self.parts: dict[str, Part] = {}
        self._valkey: Valkey | None = None
        self._held = ExitStack()

    def start_postgres(self) -> str:
        """Start the embedded database; its URL once it takes connections. Raises PartError."""
        lock = self._held.enter_context(database_lock(self.data_dir))
        server = postgres.start(self.data_dir, lock=lock)
        self._held.callback(server.stop)  # by then ended: what is left is to tidy up
        self._add("database", server.child, self.data_dir / "postgres.log", True, signal.SIGINT)
        return server.url

    def start_valkey(self) -> str:
        """Start the embedded broker; its URL, which answers within moments."""
        self._valkey = valkey.start(self.data_dir, lock=self.lock)
        self._add("broker", self._valkey.child, self._valkey.log, True)
        return self._valkey.url

    def launch(
        self,
        name: str,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        listeners: Mapping[str, socket.socket] | None = None,
    ) -> None:
        """Start one of our own commands under `name`, its output in a fresh NAME.log.

        `listeners` are bound sockets by the option that takes each; from now on they are the command's.
        """
        log = self.data_dir / f"{name}.log"
        log.unlink(missing_ok=True)
        # -P: a folder that happens to be the current one must not lend its modules.
        sockets = listeners or {}
        options = [f"--{option}={listener.fileno()}" for option, listener in sockets.items()]
        command = [sys.executable, "-P", "-u", "-m", "server.commands.main", *arguments, *options]
        inherit = [self.lock, *(listener.fileno() for listener in sockets.values())]
        child = processes.start(command, log, inherit=inherit, env=environment or os.environ)
        for listener in sockets.values():
            listener.close()
        self._add(name, child, log, name == "mailbox")

    def _add(self, name: str, child: Child, log: Path, is_store: bool, first: signal.Signals = signal.SIGTERM) -> None:
        self.parts[name] = Part(name, child, log, is_store, first)

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
        """Wait until a part ends, which is never expected. Raises PartError."""
        while True:
            for part in self.parts.values():
                if (status := part.child.poll()) is not None:
                    reason = processes.last_line(part.log)
                    raise PartError(f"The {part.name} has ended with status {status} ({part.log}): {reason}")
            time.sleep(LOOK_EVERY_S)

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
