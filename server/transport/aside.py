"""Long computations beside the event loop: one at a time, a few waiting, so that the loop keeps its turns."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from rules.failures import RateLimited
from server.transport import charging

LONGEST_QUEUE = 40
# The next computation is taken to need as much as the longest, which each shorter one makes so much less.
FADES = 0.95

Result = TypeVar("Result")


class Aside:
    """One thread for what takes milliseconds of pure Python; the interpreter shares itself between it and the loop."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._waiting = 0
        self._expected_s = 0.0

    async def run(self, function: Callable[..., Result], *arguments: object) -> Result:
        """Call `function` in the thread. Raises RateLimited when many wait already, or it waits for too long."""
        taken = _Taken()
        # Who waits for a turn has no place in the queue yet: addresses take turns before it.
        async with charging.part(self._expected_s) as pay:
            if self._waiting >= LONGEST_QUEUE:
                raise RateLimited("Too much is under way. Nothing was changed; try again in a moment.")
            self._waiting += 1
            try:
                return await asyncio.get_running_loop().run_in_executor(self._thread, taken.by, function, *arguments)
            finally:
                self._waiting -= 1
                pay(taken.seconds)
                self._expected_s = max(taken.seconds, FADES * self._expected_s)


class _Taken:
    """The processor's time that a call takes: while it has the interpreter, the loop has not."""

    seconds = 0.0

    def by(self, function: Callable[..., Result], *arguments: object) -> Result:
        began_at = time.thread_time()
        try:
            return function(*arguments)
        finally:
            self.seconds = time.thread_time() - began_at
