"""What the data folder keeps secret: a file each, which only we can read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def kept(path: Path, make: Callable[[], str]) -> str:
    """The secret kept at `path`, which only we can read; made and kept when there is none."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        secret = make()
    descriptor, unfinished = tempfile.mkstemp(dir=path.parent)  # 0600
    with os.fdopen(descriptor, "w") as file:
        file.write(secret + "\n")
        file.flush()
        os.fsync(descriptor)
    Path(unfinished).rename(path)
    return secret
