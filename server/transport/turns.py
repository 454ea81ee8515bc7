"""Whose turn it is: one event loop serves in order of arrival, so that whoever asks most would have it all.

Each person is a flow, all strangers together are one, and so are probes. What a request takes of the loop is measured
step by step, and its flow pays for it: one that has had its share begins nothing more until its credit is back. Within
a flow its clients take turns by the time that each has had (start-time fair queueing), so that one of many waits for
one request of each other at most. Where there is credit and nobody before, nobody waits.

What has begun gives way, too, for a moment: the steps of strangers to the small requests of persons, and those of a
person's large request to other persons' small ones. It may hold a connection or a lock, so the moment is short.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import OrderedDict, deque
from itertools import count
from typing import TypeVar

from rules.failures import RateLimited
from server.transport.charging import Connection, Turn
from server.transport.flows import BURST_S, Flow, Participant, Share
from server.transport.passes import Passes

LONGEST_WAIT_S = 5.0
WAIT_PARTS = 10
# What a flow owes at most: one that was stopped amid its step has not had the time that this took.
MOST_OWED_S = 0.25
# For so long after its last beginning a person counts as one who asks.
RECENT_S = 0.1
# How soon to look again whether a flow that owes may go on: others may have stopped asking meanwhile.
SOONEST_S, LATEST_S = 0.001, 0.02
MOST_KEPT = 10_000
TOO_LONG = "Too many ask at once. Nothing was changed; try again in a moment."


class Turns:
    def __init__(
        self, longest_wait_s: float = LONGEST_WAIT_S, most_owed_s: float = MOST_OWED_S, recent_s: float = RECENT_S
    ) -> None:
        self._longest_wait_s = longest_wait_s
        self._most_owed_s = most_owed_s
        self._recent_s = recent_s
        self._flows: OrderedDict[str, Flow] = OrderedDict()
        self._numbers = count()
        # The person who has begun something last, the one before, and when that was.
        self._latest: Flow | None = None
        self._other: Flow | None = None
        self._latest_at = self._other_at = float("-inf")
        self.small = 0
        self.passes = Passes()
        self._giving_way: deque[asyncio.Future[None]] = deque()
        self._going_on: asyncio.Handle | None = None

    def turn(self, flow: str, participant: str, share: Share) -> Turn:
        """A turn of this participant's, in this flow."""
        found = self._flows.get(flow) or _add(self._flows, flow, Flow(share))
        own = found.participants.get(participant) or _add(found.participants, participant, Participant())
        return Turn(self, found, own)

    def may_begin(self, turn: Turn, expected_s: float | None = None) -> bool:
        """Whether it begins at once; else it has its place in the queue. It pays as its participant's do, or this."""
        flow, participant = turn.flow, turn.participant
        turn.starts_at = starts_at = max(flow.virtual, participant.next_at)
        turn.prepaid_s = participant.expected_s if expected_s is None else expected_s
        participant.next_at = starts_at + turn.prepaid_s
        if flow.waiting or not self._has_credit(flow):
            return False
        self._admit(turn)
        return True

    async def wait(self, turn: Turn, connection: Connection | None) -> None:
        """Wait until it may begin. Raises RateLimited, and whatever ends the wait when its client has gone."""
        flow, participant = turn.flow, turn.participant
        waiting = asyncio.get_running_loop().create_future()
        heapq.heappush(flow.waiting, (turn.starts_at, next(self._numbers), turn, waiting))
        self._look_again(flow)
        if connection is not None:
            connection.waiting = waiting
        try:
            await self._in_time(waiting)
        except BaseException:
            waiting.cancel()  # unless it is over already
            if waiting.cancelled() or waiting.exception():  # it has not begun
                participant.next_at -= turn.prepaid_s
                turn.prepaid_s = 0
            raise
        finally:
            if connection is not None:
                connection.waiting = None

    async def _in_time(self, waiting: asyncio.Future[None]) -> None:
        """Wait for it in parts: a process that stood still meanwhile has counted one of them, and refuses nobody."""
        for _ in range(WAIT_PARTS):
            done, _ = await asyncio.wait([waiting], timeout=self._longest_wait_s / WAIT_PARTS)
            if done:
                return waiting.result()
        raise RateLimited(TOO_LONG)

    def _admit(self, turn: Turn) -> None:
        flow = turn.flow
        flow.virtual = max(flow.virtual, turn.starts_at)
        flow.credit_s -= turn.prepaid_s
        if flow.is_persons:
            if self._latest is not flow:
                self._other, self._other_at = self._latest, self._latest_at
                self._latest = flow
            self._latest_at = flow.counted_at

    def _has_credit(self, flow: Flow) -> bool:
        """Whether it may begin: it owes nothing, or a person no more than the other person who asks."""
        now = time.monotonic()
        self._count(flow, now)
        if flow.credit_s > 0 or not flow.is_persons:
            return flow.credit_s > 0
        other = self._other if self._latest is flow else self._latest
        if other is None:
            return False
        self._count(other, now)
        return flow.credit_s >= other.credit_s

    def _count(self, flow: Flow, now: float) -> None:
        """Bring its credit up to date."""
        share = self._share(flow, now)
        credit = BURST_S if share is None else flow.credit_s + (now - flow.counted_at) * share
        flow.credit_s, flow.counted_at = min(max(credit, -self._most_owed_s), BURST_S), now

    def _share(self, flow: Flow, now: float) -> float | None:
        other_at = self._other_at if self._latest is flow else self._latest_at
        return flow.share.beside if now - other_at < self._recent_s else flow.share.alone

    def _look_again(self, flow: Flow) -> None:
        if flow.timer is not None:
            return
        loop = asyncio.get_running_loop()
        if self._has_credit(flow):
            # What has begun comes round before the next begins.
            flow.timer = loop.call_soon(self._next, flow)
            return
        pause = -flow.credit_s / (self._share(flow, flow.counted_at) or 1)
        flow.timer = loop.call_later(min(max(pause, SOONEST_S), LATEST_S), self._next, flow)

    def count_small(self, flow: Flow, more: int) -> None:
        """Count so many more small requests of a person; once there are none, those who gave way go on."""
        flow.small += more
        self.small += more
        if not self.small:
            self._let_go_on()

    def give_way(self, within_s: float) -> asyncio.Future[None]:
        """What comes when no small request of a person is under way, or in time."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[None] = loop.create_future()
        end = loop.call_later(within_s, _end, waiting)
        waiting.add_done_callback(lambda _: end.cancel())
        while self._giving_way and self._giving_way[0].done():
            self._giving_way.popleft()
        self._giving_way.append(waiting)
        return waiting

    def _let_go_on(self) -> None:
        if self._giving_way and self._going_on is None:
            self._going_on = asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        """One step, and whoever has come meanwhile; then the next."""
        self._going_on = None
        while self._giving_way and self._giving_way[0].done():
            self._giving_way.popleft()
        if self._giving_way and not self.small:
            self._giving_way.popleft().set_result(None)
            self._let_go_on()

    def _next(self, flow: Flow) -> None:
        """Let the first of those begin who still wait."""
        flow.timer = None
        while flow.waiting and flow.waiting[0][-1].done():
            heapq.heappop(flow.waiting)
        if not flow.waiting:
            return
        if self._has_credit(flow):
            _, _, turn, waiting = heapq.heappop(flow.waiting)
            self._admit(turn)
            waiting.set_result(None)
        self._look_again(flow)


def _end(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


Kept = TypeVar("Kept")


def _add(among: OrderedDict[str, Kept], key: str, new: Kept) -> Kept:
    among[key] = new
    if len(among) > MOST_KEPT:
        among.popitem(last=False)
    return new
