"""Flows: those who share a share of the event loop's time, and the participants among them."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from server.transport.charging import Turn

# What a flow may take at once when it has taken nothing lately.
BURST_S = 0.005
# What a first request is taken to cost, and how far each measurement moves what the next is.
FIRST_S, MOVES = 0.001, 0.1


@dataclass(frozen=True)
class Share:
    """How much of the loop's time a flow may take: beside other persons who ask, and while there are none."""

    beside: float
    alone: float | None
    # Whether a part of the database's connections is all that it may hold at once.
    is_bounded: bool = True


PERSON, SERVICE = Share(0.5, None), Share(0.9, None, is_bounded=False)
STRANGERS, PROBES = Share(0.25, 0.75), Share(0.1, 0.5, is_bounded=False)


@dataclass
class Participant:
    """Who takes turns within a flow: since when, in the flow's virtual time, its next request waits; what one costs."""

    next_at: float = 0.0
    expected_s: float = FIRST_S


@dataclass(eq=False)
class Flow:
    """Those who share a share, and those of them who wait."""

    share: Share
    credit_s: float = BURST_S
    counted_at: float = field(default_factory=time.monotonic)
    virtual: float = 0.0
    timer: asyncio.Handle | None = None
    participants: OrderedDict[str, Participant] = field(default_factory=OrderedDict)
    waiting: list[tuple[float, int, Turn, asyncio.Future[None]]] = field(default_factory=list)
    # Requests under way that have taken little as yet, of a person's flow.
    small: int = 0
    # Whether a person or a service asks here.
    is_persons: bool = field(init=False)

    def __post_init__(self) -> None:
        """Known beforehand, since each step of a request asks for it."""
        self.is_persons = self.share.alone is None
