"""What several fields of a request need, loaded by the first that asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Loaded = TypeVar("Loaded")


class Shared(Generic[Loaded]):
    """Loads once; whoever else asks gets what came of it, an error too. A load that is cancelled is the next one's.

    No task, of which each costs as much as a small query's whole execution, and no lock, since most are asked for once.
    """

    def __init__(self, load: Callable[[], Awaitable[Loaded]]) -> None:
        self._load = load
        # Those who wait for the load that is under way.
        self._waiting: list[asyncio.Future[None]] | None = None
        self._came: tuple[Loaded] | Exception | None = None

    @property
    def has_come(self) -> bool:
        """Whether nobody waits for it any more."""
        return self._came is not None

    def come(self, loaded: Loaded) -> None:
        """It is there: somebody has it otherwise."""
        self._came = (loaded,)

    async def get(self) -> Loaded:
        """What was loaded. Raises what loading raised."""
        while self._came is None:
            if self._waiting is None:
                await self._ask()
            else:
                ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._waiting.append(ended)
                await ended
        if isinstance(self._came, Exception):
            raise self._came
        return self._came[0]

    async def _ask(self) -> None:
        waiting: list[asyncio.Future[None]] = []
        self._waiting = waiting
        try:
            self._came = (await self._load(),)
        except Exception as error:
            self._came = error
        finally:
            self._waiting = None
            for each in waiting:
                if not each.done():
                    each.set_result(None)
