"""Slow hashes off the event loop, with a bounded number at once and a bounded queue behind them."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import rules.passwords
from rules.failures import RateLimited
from rules.slow_hash import HASH_COST, HashCost
from telemetry import metrics

LONGEST_QUEUE = 200
# Guesses must not take the processor from the event loop; where it is free, a hash is as fast as ever.
NICENESS = 10

Result = TypeVar("Result")


class Hasher:
    """Runs argon2 in threads, which free the interpreter lock meanwhile: one fewer than there are cores.

    Whatever its priority, a hash keeps a core for some milliseconds once it has it; the event loop and the database
    must find room on another.
    """

    def __init__(self, cost: HashCost = HASH_COST, longest_queue: int = LONGEST_QUEUE) -> None:
        self.cost = cost
        self.nobodys = rules.passwords.nobodys_hash(cost)
        self._longest_queue = longest_queue
        threads = max(1, (os.cpu_count() or 2) - 1)
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="hash", initializer=_give_way)
        self._waiting = 0

    async def run(self, function: Callable[..., Result], *arguments: object) -> Result:
        """Call `function` in a thread. Raises RateLimited when too many hashes wait already."""
        if self._waiting >= self._longest_queue:
            raise RateLimited
        self._waiting += 1
        metrics.ARGON2_QUEUE.inc()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)
        finally:
            self._waiting -= 1
            metrics.ARGON2_QUEUE.dec()

    def close(self) -> None:
        """Stop once the hashes under way are done."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def _give_way() -> None:
    if sys.platform == "linux":  # where each thread has a priority of its own
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
