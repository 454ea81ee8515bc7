"""A broker that comes back at the same address after it was stopped, with or without what it held."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

import redis

from server.local import processes, valkey
from server.local.processes import Child
from tests import used
from tests.ports import own_port
from tests.waiting import until_now

PASSWORD = "a-test-broker"


class Broker:
    """A Valkey on a port that stays its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = own_port()
        self.url = f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"
        self._child: Child | None = None

    def start(self) -> None:
        """Start it, with what it held before."""
        self.folder.mkdir(exist_ok=True)
        self._child = processes.start([valkey.binary(), "-"], self.folder / "log", stdin=subprocess.PIPE)
        used.watch(self.folder / "log")
        assert self._child.stdin is not None
        settings = valkey.CONFIGURATION.format(port=self.port, password=PASSWORD, folder=self.folder)
        self._child.stdin.write(settings.encode())
        self._child.stdin.close()
        until_now(self._answers, (self.folder / "log").read_text)

    def stop(self) -> None:
        """Stop it."""
        if self._child is not None:
            self._child.send_signal(signal.SIGCONT)
            processes.stop(self._child, signal.SIGKILL, 5)
            self._child = None

    def start_empty(self) -> None:
        """Start it anew, with nothing of what it held."""
        shutil.rmtree(self.folder)
        self.start()

    def freeze(self) -> None:
        """Let it take connections and answer nothing."""
        assert self._child is not None
        self._child.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._child is not None
        self._child.send_signal(signal.SIGCONT)

    def empty(self) -> None:
        """Throw away all that it holds."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def waiting(self, queue: str) -> int:
        """How many messages wait in a queue."""
        with redis.Redis.from_url(self.url) as client:
            found = client.llen(f"gatehouse.{queue}")
            assert isinstance(found, int)
            return found

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
