"""Answers that are kept for a moment, so that however often somebody asks, finding them costs little."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

# Finding an answer may take a twentieth of the time, and a third where it has a short limit of its own: else an outage
# of seconds would be told of for a minute.
SHARE, LIMITED_SHARE = 20, 2

T = TypeVar("T")


class Kept(Generic[T]):
    """What `find` gives, at most so old; whoever asks meanwhile waits for the same answer."""

    def __init__(self, find: Callable[[], Awaitable[T]], for_s: float, share: int = SHARE) -> None:
        self._find = find
        self._for_s = for_s
        self._share = share
        self._until = 0.0
        self._answer: T | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> T:
        """The answer."""
        async with self._lock:
            if self._answer is None or time.monotonic() >= self._until:
                began_at = time.monotonic()
                self._answer = await self._find()
                ended_at = time.monotonic()
                self._until = ended_at + max(self._for_s, self._share * (ended_at - began_at))
            return self._answer
