"""Waiting for a thing itself: one limit for all tests, so generous that no busy machine comes near it."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

LIMIT_S = 300.0
LOOK_EVERY_S = 0.02

T = TypeVar("T")


async def until(holds: Callable[[], object], what: str | Callable[[], str]) -> None:
    """Return once `holds`, which may be async, says so; fails with what never came true."""
    last = time.monotonic() + LIMIT_S
    while True:
        found = holds()
        if await found if inspect.isawaitable(found) else found:
            return
        assert time.monotonic() < last, f"never: {what if isinstance(what, str) else what()}"
        await asyncio.sleep(LOOK_EVERY_S)


def until_now(holds: Callable[[], object], what: Callable[[], str]) -> None:
    """The same where no event loop runs."""
    last = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < last, f"never: {what()}"
        time.sleep(LOOK_EVERY_S)


def stand_still(seconds: float) -> None:
    """Let nothing else of this process happen meanwhile, as when the machine gives it no time."""
    time.sleep(seconds)


async def soon(thing: Awaitable[T]) -> T:
    """What the thing comes to. Raises TimeoutError."""
    return await asyncio.wait_for(thing, LIMIT_S)
