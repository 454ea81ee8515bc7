"""Queues: what many requests ask of one thing at once is done a few at a time, and the others wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from rules.failures import RateLimited

AT_ONCE = 3
LONGEST_QUEUE = 1000


@dataclass
class _Queue:
    count: int = 0
    free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))


class Queues:
    """The queues of one process.

    A guess is charged before it is looked at, so many right ones at once would look like a guesser; three never do.
    """

    def __init__(self, longest_queue: int = LONGEST_QUEUE) -> None:
        self._longest_queue = longest_queue
        self._queues: dict[str, _Queue] = {}

    def has_room(self, key: str) -> bool:
        """Whether a turn at `key` would begin at once."""
        count = self._queues[key].count if key in self._queues else 0
        return count < min(AT_ONCE, self._longest_queue)

    @asynccontextmanager
    async def of(self, key: str) -> AsyncIterator[None]:
        """Wait at `key`, then be one of the few. Raises RateLimited when too many wait already."""
        queue = self._queues.setdefault(key, _Queue())
        if queue.count >= self._longest_queue:
            raise RateLimited
        queue.count += 1
        try:
            async with queue.free:
                yield
        finally:
            queue.count -= 1
            if not queue.count:
                self._queues.pop(key, None)
