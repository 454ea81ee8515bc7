"""Several works in a row, of which none that fails keeps the others from being done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def each(*works: Callable[[], Awaitable[int]], within_s: float | None = None) -> int:
    """Do each in its own time; return what they come to together. The first failure is raised after the last."""
    done, failure = 0, None
    for work in works:
        try:
            async with asyncio.timeout(within_s):
                done += await work()
        except Exception as error:
            failure = failure or error
    if failure is not None:
        raise failure
    return done
