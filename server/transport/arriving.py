"""Bodies on their way: where too many of somebody's are, the one that has taken longest gives way to the newest.

So whoever sends slowly keeps nobody out: a body that comes as bodies do is never the oldest.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

Under = dict[str, OrderedDict["Body", None]]


class Body:
    """One of them, counted under each key, of which there may be so many."""

    def __init__(self, under: Under, most: dict[str, int]) -> None:
        self._under, self._most = under, most
        self._limit: asyncio.Timeout | None = None
        self.gave_way = False

    @contextmanager
    def on_its_way(self, limit: asyncio.Timeout) -> Iterator[None]:
        """Until it has arrived, or its limit in time is over, which is at once when it has to give way."""
        for key, most in self._most.items():
            if (others := self._under.get(key)) and len(others) >= most:
                next(iter(others))._give_way()
        self._limit = limit
        for key in self._most:
            self._under.setdefault(key, OrderedDict())[self] = None
        try:
            yield
        finally:
            self._leave()

    def _give_way(self) -> None:
        self.gave_way = True
        self._leave()
        assert self._limit is not None
        if not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time())

    def _leave(self) -> None:
        for key in self._most:
            others = self._under.get(key)
            if others is not None and others.pop(self, self) is None and not others:
                del self._under[key]
