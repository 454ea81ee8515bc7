"""Shares of a pool: nobody holds so many of its connections at once that others wait for theirs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass

from rules.failures import ServiceUnavailable

# Says for whom the code runs that asks; None for whoever is not bounded, as a worker or a product's own system.
Whose = Callable[[], Hashable | None]

AT_ONCE = nullcontext()  # a limit in time costs more than the rest


@dataclass
class _Share:
    free: asyncio.Semaphore
    wanted: int = 0


class Shares:
    """Who holds how many of one pool."""

    def __init__(self, most_of_one: int, whose: Whose, longest_wait_s: float) -> None:
        self._most_of_one = most_of_one
        self._whose = whose
        self._longest_wait_s = longest_wait_s
        self._shares: dict[Hashable, _Share] = {}

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Hold one more. Raises ServiceUnavailable where one's own ones take too long."""
        key = self._whose()
        if key is None:
            yield
            return
        share = self._shares.setdefault(key, _Share(asyncio.Semaphore(self._most_of_one)))
        share.wanted += 1
        try:
            try:
                async with asyncio.timeout(self._longest_wait_s) if share.free.locked() else AT_ONCE:
                    await share.free.acquire()
            except TimeoutError:
                raise ServiceUnavailable from None
            try:
                yield
            finally:
                share.free.release()
        finally:
            share.wanted -= 1
            if not share.wanted:
                del self._shares[key]
