"""What takes long to make, made by the first test process of a run that wants it."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest


async def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Awaitable[object]]) -> Path:
    """A folder that all test processes of a run share, once `make` has made what is in it."""
    is_shared = "PYTEST_XDIST_WORKER" in os.environ
    above = factory.getbasetemp().parent if is_shared else factory.getbasetemp()
    done = above / f"{name}.done"
    with (above / f"{name}.lock").open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        if not done.exists():
            await make(above / name)
            done.touch()
    return above / name
