"""What several fields of a request need, loaded by the first that asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Loaded = TypeVar("Loaded")


class Shared(Generic[Loaded]):
    """Loads once; whoever else asks gets what came of it, an error too. A load that is cancelled is the next one's.

    No task, of which each costs as much as a small query's whole execution.
    """

    def __init__(self, load: Callable[[], Awaitable[Loaded]]) -> None:
        self._load = load
        self._lock = asyncio.Lock()
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
        if self._came is None:
            async with self._lock:
                if self._came is None:
                    await self._ask()
        if isinstance(self._came, Exception):
            raise self._came
        assert self._came is not None
        return self._came[0]

    async def _ask(self) -> None:
        try:
            self._came = (await self._load(),)
        except Exception as error:
            self._came = error
