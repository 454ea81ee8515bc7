"""Heavy operations: one of each person's at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field

from server.transport import charging

HEAVY = 2_000
AT_ONCE = nullcontext()


@dataclass
class _Line:
    """A person's heavy operations: the one under way, and those behind it."""

    length: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Heavy:
    """The heavy operations of one process, by person."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    def one_at_a_time(self, person: str | None, cost: float) -> AbstractAsyncContextManager[None]:
        """Hold a heavy operation until the person's heavy ones before it are done."""
        return AT_ONCE if person is None or cost < HEAVY else self._in_line(person)

    @asynccontextmanager
    async def _in_line(self, person: str) -> AsyncIterator[None]:
        line, turn = self._lines.setdefault(person, _Line()), charging.current()
        if turn is not None:
            turn.grow()
        # Counted rather than asked of the lock, which is free for a moment while the next has yet to take it.
        line.length += 1
        try:
            async with line.lock:
                if turn is not None:  # by now it is known what the one before has taken
                    await turn.begin()
                yield
        finally:
            line.length -= 1
            if not line.length:
                del self._lines[person]
