"""How many sign-ins at a provider may be under way."""

from __future__ import annotations

import asyncio
from asyncio import Timeout
from collections.abc import Iterator
from contextlib import contextmanager

from rules.failures import RateLimited

MOST_AT_ONCE = 100
# Of one address, so that nobody takes all of a provider that hangs.
MOST_OF_ONE = 10


class Places:
    """The places of one provider, each with the time limit of whoever holds it, by source."""

    def __init__(self) -> None:
        self._held: dict[str, list[Timeout]] = {}

    @contextmanager
    def taken(self, source: str, time_out: Timeout) -> Iterator[None]:
        """A place for an exchange. Raises RateLimited.

        Once all are taken, whoever holds most gives up the oldest of theirs, so that few cannot keep others out.
        """
        held = len(self._held.get(source, ()))
        busiest = max(self._held.values(), key=len, default=[])
        is_full = sum(map(len, self._held.values())) >= MOST_AT_ONCE
        if held >= MOST_OF_ONE or (is_full and len(busiest) <= held + 1):
            raise RateLimited("Too many sign-ins are under way. Try again in a moment.")
        if is_full:
            oldest = busiest.pop(0)
            if not oldest.expired():
                oldest.reschedule(asyncio.get_running_loop().time())
        mine = self._held.setdefault(source, [])
        mine.append(time_out)
        try:
            yield
        finally:
            if time_out in mine:
                mine.remove(time_out)
            if not mine and self._held.get(source) is mine:
                del self._held[source]
