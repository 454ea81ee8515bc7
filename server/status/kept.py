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
        async with self._lock:
            if self._answer is None or time.monotonic() >= self._until:
                began_at = time.monotonic()
                self._answer = await self._find()
                ended_at = time.monotonic()
                self._until = ended_at + max(self._for_s, self._share * (ended_at - began_at))
            return self._answer


class SoFar(Generic[T]):
    """What `kept` gives; where finding that takes longer than a moment, what was found `before`."""

    def __init__(self, kept: Kept[T], moment_s: float, before: T) -> None:
        self._kept = kept
        self._moment_s = moment_s
        self._found = before
        self._finding: asyncio.Task[None] | None = None

    async def get(self) -> T:
        """The answer so far: `kept` says whether one that has been found is still good."""
        if self._finding is None or self._finding.done():
            self._finding = asyncio.create_task(self._find())
        finding = self._finding
        await asyncio.wait({finding}, timeout=self._moment_s)
        if finding.done():
            finding.result()
        return self._found

    async def _find(self) -> None:
        self._found = await self._kept.get()
