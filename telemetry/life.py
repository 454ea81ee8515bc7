"""Whether this process is well: when it last came round, and whether it is to end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

TURN_EVERY_S = 1.0
LIVE_WITHIN_S = 60.0

_turned_at = time.monotonic()
_is_waiting = False
_is_ending = False


def turn() -> None:
    """The process has come round once more."""
    global _turned_at  # noqa: PLW0603 - a process has one life
    _turned_at = time.monotonic()


@contextmanager
def waiting() -> Iterator[None]:
    """While the broker is waited for, however long: a process started in place of this one would wait as well."""
    global _is_waiting  # noqa: PLW0603
    _is_waiting = True
    try:
        yield
    finally:
        _is_waiting = False
        turn()


async def keep_turning() -> None:
    """Say so for as long as the event loop comes round."""
    while True:
        turn()
        await asyncio.sleep(TURN_EVERY_S)


def is_turning() -> bool:
    """Whether it has come round within a minute, or waits for the broker."""
    return _is_waiting or time.monotonic() - _turned_at < LIVE_WITHIN_S


def end() -> None:
    """The process was asked to end: nobody is to send it anything new."""
    global _is_ending  # noqa: PLW0603
    _is_ending = True


def is_ending() -> bool:
    """Whether it was asked to end."""
    return _is_ending
