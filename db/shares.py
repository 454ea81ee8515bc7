"""Shares of a pool: nobody holds so many of its connections at once that others wait for theirs."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field

from rules.failures import ServiceUnavailable

# Says for whom the code runs that asks; None for whoever is not bounded, as a worker or a product's own system.
Whose = Callable[[], Hashable | None]

AT_ONCE = nullcontext()  # a limit in time costs more than the rest


@dataclass
class _Share:
    free: int
    wanted: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)

    def give_back(self) -> None:
        """To the first of those who still wait for one, or to whoever asks next."""
        while self.waiting:
            if not (first := self.waiting.popleft()).done():
                first.set_result(None)
                return
        self.free += 1


class Shares:
    """Who holds how many of one pool."""

    def __init__(self, most_of_one: int, whose: Whose, longest_wait_s: float) -> None:
        self.most_of_one = most_of_one
        self.longest_wait_s = longest_wait_s
        self.shares: dict[Hashable, _Share] = {}
        self._whose = whose

    def one(self) -> AbstractAsyncContextManager[None]:
        """Hold one more. Raises ServiceUnavailable where one's own ones take too long."""
        key = self._whose()
        return AT_ONCE if key is None else _One(self, key)


class _One(AbstractAsyncContextManager[None]):
    """No generator, no limit in time as asyncio has it: a small request waits here for another of its person's."""

    def __init__(self, shares: Shares, key: Hashable) -> None:
        self._shares, self._key = shares, key

    async def __aenter__(self) -> None:
        shares = self._shares.shares
        self._share = share = shares.get(self._key) or shares.setdefault(self._key, _Share(self._shares.most_of_one))
        share.wanted += 1
        if share.free:
            share.free -= 1
        else:
            await self._wait(share)

    async def _wait(self, share: _Share) -> None:
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[None] = loop.create_future()
        share.waiting.append(waiting)
        end = loop.call_later(self._shares.longest_wait_s, _end, waiting)
        try:
            await waiting
        except BaseException as error:
            if waiting.done() and not waiting.cancelled() and waiting.exception() is None:
                share.give_back()  # it came as its task was ended
            self._leave()
            if isinstance(error, TimeoutError):
                raise ServiceUnavailable from None
            raise
        finally:
            end.cancel()

    async def __aexit__(self, *_: object) -> None:
        self._share.give_back()
        self._leave()

    def _leave(self) -> None:
        self._share.wanted -= 1
        if not self._share.wanted:
            del self._shares.shares[self._key]


def _end(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_exception(TimeoutError())
