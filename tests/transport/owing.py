"""Whoever calls without a session, and turns of the event loop that they owe, as beside an attack without end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from server.transport.charging import Turn
from server.transport.flows import STRANGERS
from server.transport.turns import Turns

# So long that no machine is ever stopped for it.
FOR_LONG_S = 1_000.0


class Caller:
    """Somebody at an address, without a session."""

    session_key: bytes | None = None

    def __init__(self, address_key: str, device_key: str | None = None) -> None:
        self.address_key, self.device_key = address_key, device_key

    async def person_key(self) -> str | None:
        """None."""
        return None


def owing(longest_wait_s: float = FOR_LONG_S) -> Turns:
    """Turns in which nothing is forgiven, and where whoever has asked once counts as one who asks."""
    return Turns(longest_wait_s, 2 * FOR_LONG_S, FOR_LONG_S)


def stranger(turns: Turns, address: str = "address:other") -> Turn:
    return turns.turn("strangers", address, STRANGERS)


@contextmanager
def strangers_owe(turns: Turns) -> Iterator[None]:
    """Strangers have had so much of the loop that none of them begins, as beside an attack that does not end."""
    turn = stranger(turns)
    turn.charge(FOR_LONG_S)
    yield
    turn.flow.credit_s = 0.0


async def some_passes() -> None:
    for _ in range(100):
        await asyncio.sleep(0)
