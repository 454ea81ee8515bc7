"""Passes of the event loop: in each it does whatever is ready, and only then looks who has come meanwhile."""

from __future__ import annotations

import asyncio
from collections import deque

# So much of one pass is for steps that give way; then the others of these wait for the next, and begin one in each.
MOST_OF_A_PASS_S = 0.0005


class Passes:
    """What steps that give way have taken of the pass under way, and those that wait for the next."""

    def __init__(self) -> None:
        self.is_full = False
        self._taken_s = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._next: asyncio.Handle | None = None

    def take(self, seconds: float) -> None:
        """A step has taken so long."""
        self._taken_s += seconds
        self.is_full = self._taken_s >= MOST_OF_A_PASS_S
        self._expect()

    def next(self) -> asyncio.Future[None]:
        """What comes in a later pass."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        self._expect()
        return waiting

    def _expect(self) -> None:
        if self._next is None:
            self._next = asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        self._next, self._taken_s, self.is_full = None, 0.0, False
        while self._waiting and self._waiting[0].done():
            self._waiting.popleft()
        if self._waiting:
            self._waiting.popleft().set_result(None)
            self._expect()
