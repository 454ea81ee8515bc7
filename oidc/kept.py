"""What a provider publishes, kept for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

KEPT_S = 3600.0


class Kept:
    """Something of the provider's, read again once it is an hour old."""

    def __init__(self, load: Callable[[], Awaitable[Any]]) -> None:
        self._load = load
        self._lock = asyncio.Lock()
        self._value: Any = None
        self._read_at = 0.0

    async def get(self) -> Any:
        """It, read anew when it is old."""
        async with self._lock:
            if self._value is None or time.monotonic() > self._read_at + KEPT_S:
                await self._read()
            return self._value

    async def renew(self) -> Any:
        """It, read anew now."""
        async with self._lock:
            await self._read()
            return self._value

    async def _read(self) -> None:
        self._value = await self._load()
        self._read_at = time.monotonic()
