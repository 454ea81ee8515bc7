"""Who uses a data folder: advisory locks that the kernel gives back when their last holder ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOOK_AGAIN_S = 0.05


class Taken(Exception):
    """Someone else holds the lock."""


@contextmanager
def holding(path: Path, wait_s: float = 0) -> Iterator[int]:
    """Hold the lock, waiting at most `wait_s` seconds; gives its descriptor. Raises Taken.

    A child that inherits the descriptor holds the lock too, so that what an ended process left behind still counts.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(descriptor, time.monotonic() + wait_s)
        yield descriptor
    finally:
        os.close(descriptor)


def _take(descriptor: int, until: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise Taken from None
            time.sleep(LOOK_AGAIN_S)
        else:
            return
