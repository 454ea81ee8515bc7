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
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol, TypeVar

from rules.failures import RateLimited

LONGEST_WAIT_S = 5.0
# What a flow may take at once when it has taken nothing lately, and what it owes at most.
BURST_S, MOST_OWED_S = 0.005, 0.25
# For so long after its last beginning a person counts as one who asks.
RECENT_S = 0.1
# How soon to look again whether a flow that owes may go on: others may have stopped asking meanwhile.
SOONEST_S, LATEST_S = 0.001, 0.02
# What a first request is taken to cost, and how far each measurement moves what the next is.
FIRST_S, MOVES = 0.001, 0.1
# What a small request takes at most, and for how long in all the steps of others give way to it: those of one request
# of a stranger's, and of one of a person's that is large.
SMALL_S = 0.002
STRANGERS_GIVE_WAY_S, PERSONS_GIVE_WAY_S = 0.02, 0.2
MOST_KEPT = 10_000
TOO_LONG = "Too many ask at once. Nothing was changed; try again in a moment."

_now = time.perf_counter

Result = TypeVar("Result")


@dataclass(frozen=True)
class Share:
    """How much of the loop's time a flow may take: beside other persons who ask, and while there are none."""

    beside: float
    alone: float | None


PERSON, SERVICE = Share(0.5, None), Share(0.9, None)
STRANGERS, PROBES = Share(0.25, 0.75), Share(0.1, 0.5)


class Connection(Protocol):
    """What knows when the client has gone: it ends what waits."""

    waiting: asyncio.Future[None] | None


@dataclass
class _Client:
    """Who takes turns within a flow: since when, in the flow's virtual time, its next request waits; what one costs."""

    next_at: float = 0.0
    expected_s: float = FIRST_S


@dataclass
class _Flow:
    """Those who share a share, and those of them who wait."""

    share: Share
    credit_s: float = BURST_S
    counted_at: float = field(default_factory=time.monotonic)
    virtual: float = 0.0
    timer: asyncio.Handle | None = None
    clients: OrderedDict[str, _Client] = field(default_factory=OrderedDict)
    waiting: list[tuple[float, int, Turn, asyncio.Future[None]]] = field(default_factory=list)
    # Requests under way that have taken little as yet, of a person's flow.
    small: int = 0

    @property
    def is_persons(self) -> bool:
        """Whether a person or a service asks here."""
        return self.share.alone is None


class Turns:
    """The turns of one process."""

    def __init__(self, longest_wait_s: float = LONGEST_WAIT_S) -> None:
        self.longest_wait_s = longest_wait_s
        self._flows: OrderedDict[str, _Flow] = OrderedDict()
        self._numbers = count()
        # The person who has begun something last, the one before, and when that was.
        self._latest: _Flow | None = None
        self._other: _Flow | None = None
        self._latest_at = self._other_at = float("-inf")
        self.small = 0
        self._giving_way: deque[asyncio.Future[None]] = deque()
        self._going_on: asyncio.Handle | None = None

    def turn(self, flow: str, client: str, share: Share) -> Turn:
        """A turn of this client's, in this flow."""
        found = self._flows.get(flow) or _add(self._flows, flow, _Flow(share))
        return Turn(self, found, found.clients.get(client) or _add(found.clients, client, _Client()))

    def may_begin(self, turn: Turn) -> bool:
        """Whether it begins at once; else it has its place in the queue."""
        flow, client = turn.flow, turn.client
        turn.starts_at = starts_at = max(flow.virtual, client.next_at)
        turn.prepaid_s = client.expected_s
        client.next_at = starts_at + turn.prepaid_s
        if flow.waiting or not self._has_credit(flow):
            return False
        self._admit(turn)
        return True

    async def wait(self, turn: Turn, connection: Connection | None) -> None:
        """Wait until it may begin. Raises RateLimited, and whatever ends the wait when its client has gone."""
        flow, client = turn.flow, turn.client
        waiting = asyncio.get_running_loop().create_future()
        heapq.heappush(flow.waiting, (turn.starts_at, next(self._numbers), turn, waiting))
        self._look_again(flow)
        if connection is not None:
            connection.waiting = waiting
        try:
            async with asyncio.timeout(self.longest_wait_s):
                await waiting
        except BaseException as error:
            if waiting.cancelled() or waiting.exception():  # it has not begun
                client.next_at -= turn.prepaid_s
                turn.prepaid_s = 0
            if isinstance(error, TimeoutError):
                raise RateLimited(TOO_LONG) from None
            raise
        finally:
            if connection is not None:
                connection.waiting = None

    def _admit(self, turn: Turn) -> None:
        flow = turn.flow
        flow.virtual = max(flow.virtual, turn.starts_at)
        flow.credit_s -= turn.prepaid_s
        if flow.is_persons:
            if self._latest is not flow:
                self._other, self._other_at = self._latest, self._latest_at
                self._latest = flow
            self._latest_at = flow.counted_at

    def _has_credit(self, flow: _Flow) -> bool:
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

    def _count(self, flow: _Flow, now: float) -> None:
        """Bring its credit up to date."""
        share = self._share(flow, now)
        credit = BURST_S if share is None else flow.credit_s + (now - flow.counted_at) * share
        flow.credit_s, flow.counted_at = min(max(credit, -MOST_OWED_S), BURST_S), now

    def _share(self, flow: _Flow, now: float) -> float | None:
        other_at = self._other_at if self._latest is flow else self._latest_at
        return flow.share.beside if now - other_at < RECENT_S else flow.share.alone

    def _look_again(self, flow: _Flow) -> None:
        if flow.timer is not None:
            return
        loop = asyncio.get_running_loop()
        if self._has_credit(flow):
            # What has begun comes round before the next begins.
            flow.timer = loop.call_soon(self._next, flow)
            return
        pause = -flow.credit_s / (self._share(flow, flow.counted_at) or 1)
        flow.timer = loop.call_later(min(max(pause, SOONEST_S), LATEST_S), self._next, flow)

    def count_small(self, flow: _Flow, more: int) -> None:
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

    def _next(self, flow: _Flow) -> None:
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


@dataclass(eq=False)
class Turn:
    """What one request takes of the loop, or one message after another of a socket."""

    turns: Turns
    flow: _Flow
    client: _Client
    starts_at: float = 0.0
    prepaid_s: float = 0.0
    spent_s: float = 0.0
    is_over: bool = False
    gave_way_s: float = 0.0
    is_large: bool = False
    # Whether it is counted as a small request of a person's, to which others give way.
    _is_counted: bool = False

    async def begin(self, connection: Connection | None = None) -> None:
        """Wait until it may begin, or go on. Raises RateLimited."""
        self._settle()
        self.gave_way_s = 0.0
        if not self.turns.may_begin(self):
            await self.turns.wait(self, connection)

    async def take(
        self,
        work: Callable[[], Coroutine[Any, Any, Result]],
        connection: Connection | None = None,
        *,
        lasts_short: bool = True,
    ) -> Result:
        """Wait until it may begin, and do it. Raises RateLimited."""
        try:
            if not self.turns.may_begin(self):
                await self.turns.wait(self, connection)
            self._count(is_small=lasts_short and self.flow.is_persons)
            token = _current.set(self)
            try:
                result: Result = await _Charged(work(), self)
                return result
            finally:
                _current.reset(token)
        finally:
            self._count(is_small=False)
            self._settle()
            self.is_over = True

    def way(self) -> asyncio.Future[None] | None:
        """What its next step waits for, if anything."""
        flow, turns = self.flow, self.turns
        if not turns.small - flow.small or self.is_over or (flow.is_persons and not self.is_large):
            return None
        left_s = (PERSONS_GIVE_WAY_S if flow.is_persons else STRANGERS_GIVE_WAY_S) - self.gave_way_s
        if left_s <= 0:
            return None
        began_at, way = time.monotonic(), turns.give_way(left_s)
        way.add_done_callback(lambda _: self._gave_way(time.monotonic() - began_at))
        return way

    def _gave_way(self, seconds: float) -> None:
        self.gave_way_s += seconds

    def grow(self) -> None:
        """It is a large one, which gives way to others' small ones."""
        self.is_large = True
        self._count(is_small=False)

    def _count(self, *, is_small: bool) -> None:
        if is_small != self._is_counted:
            self._is_counted = is_small
            self.turns.count_small(self.flow, 1 if is_small else -1)

    def become(self, other: Turn) -> None:
        """Go on as another client, who pays for all of it."""
        if self.client is not other.client:
            spent_s, self.spent_s = self.spent_s, 0.0
            self._count(is_small=False)
            self._settle()
            self.flow, self.client = other.flow, other.client
            self.charge(spent_s)

    def charge(self, seconds: float) -> None:
        """Pay for what was taken of the loop."""
        if not self.is_over:
            self.spent_s += seconds
            over_s = self.spent_s - self.prepaid_s
            if over_s > 0:
                self.flow.credit_s -= min(seconds, over_s)
            if self.spent_s >= SMALL_S and not self.is_large:
                self.grow()

    def _settle(self) -> None:
        """What was paid before and not taken is given back."""
        left_s = self.prepaid_s - self.spent_s
        if self.spent_s:
            self.client.expected_s += MOVES * (self.spent_s - self.client.expected_s)
        self.client.next_at -= left_s
        self.flow.credit_s += max(0.0, left_s)
        self.prepaid_s = self.spent_s = 0.0


_current: ContextVar[Turn | None] = ContextVar("turn", default=None)


def current() -> Turn | None:
    """The turn in which this code runs."""
    return _current.get()


def _end(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


class _Charged(Coroutine[Any, Any, Any]):
    """A coroutine of which each step is charged for."""

    __slots__ = ("_turn", "_work")

    def __init__(self, work: Coroutine[Any, Any, Any], turn: Turn) -> None:
        self._work, self._turn = work, turn

    def __next__(self) -> Any:
        turn = self._turn
        if turn.turns.small and (way := turn.way()) is not None:
            # To whatever runs the task, the coroutine waits for that.
            way._asyncio_future_blocking = True
            return way
        began_at = _now()
        try:
            return self._work.send(None)
        finally:
            turn.charge(_now() - began_at)

    def send(self, value: Any) -> Any:
        # A task sends nothing else.
        assert value is None
        return self.__next__()

    def throw(self, *error: Any) -> Any:
        began_at = _now()
        try:
            return self._work.throw(*error)
        finally:
            self._turn.charge(_now() - began_at)

    def close(self) -> None:
        self._work.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self

    def __iter__(self) -> _Charged:
        return self


def charge_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Charge for the steps of tasks, too, to the turn in which they were begun."""
    loop.set_task_factory(_task)


def _task(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
    context: Context | None = options.get("context")
    turn = _current.get() if context is None else context.get(_current)
    charged = work if turn is None or turn.is_over else _Charged(work, turn)
    return asyncio.Task(charged, loop=loop, **options)


Kept = TypeVar("Kept")


def _add(among: OrderedDict[str, Kept], key: str, new: Kept) -> Kept:
    among[key] = new
    if len(among) > MOST_KEPT:
        among.popitem(last=False)
    return new
