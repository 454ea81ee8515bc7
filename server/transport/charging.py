"""What each request takes of the event loop: measured step by step, its tasks' included, and paid for by its flow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager
from contextvars import Context, ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from server.transport.flows import MOVES, Flow, Participant

if TYPE_CHECKING:
    from server.transport.turns import Turns

# What a small request takes at most, and for how long in all the steps of others give way to it: those of one request
# of a stranger's, and of one of a person's that is large.
SMALL_S = 0.002
STRANGERS_GIVE_WAY_S, PERSONS_GIVE_WAY_S = 0.02, 0.2

_now = time.perf_counter

Result = TypeVar("Result")


class Connection(Protocol):
    """What knows when the client has gone: it ends what waits."""

    waiting: asyncio.Future[None] | None


@dataclass(eq=False)
class Turn:
    """What one request takes of the loop, or one message after another of a socket."""

    turns: Turns
    flow: Flow
    participant: Participant
    starts_at: float = 0.0
    prepaid_s: float = 0.0
    spent_s: float = 0.0
    is_over: bool = False
    gave_way_s: float = 0.0
    is_large: bool = False
    # Whether it is a stranger's, or a person's large one, under way.
    gives_way: bool = field(init=False)
    # Whether it is counted as a small request of a person's, to which others give way.
    _is_counted: bool = False

    def __post_init__(self) -> None:
        """Known beforehand, since it is asked at each step."""
        self._look_at_itself()

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
            return await self._charged(work)
        finally:
            self._count(is_small=False)
            self._settle()
            self._end()

    async def last(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Do what an answered request goes on with for long: it waits for nothing, and pays as it goes."""
        try:
            return await self._charged(work)
        finally:
            self._end()

    async def _charged(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        token = _current.set(self)
        try:
            result: Result = await _Charged(work(), self)
            return result
        finally:
            _current.reset(token)

    def _end(self) -> None:
        self.is_over = True
        self._look_at_itself()

    def way(self) -> asyncio.Future[None] | None:
        """What its next step waits for, if anything."""
        flow, turns = self.flow, self.turns
        is_before = turns.small > flow.small
        if not (is_before or turns.passes.is_full) or not self.gives_way:
            return None
        left_s = (PERSONS_GIVE_WAY_S if flow.is_persons else STRANGERS_GIVE_WAY_S) - self.gave_way_s
        if left_s <= 0:
            return None
        began_at, way = time.monotonic(), turns.give_way(left_s) if is_before else turns.passes.next()
        way.add_done_callback(lambda _: self._gave_way(time.monotonic() - began_at))
        return way

    def _look_at_itself(self) -> None:
        self.gives_way = not self.is_over and (self.is_large or not self.flow.is_persons)

    def _gave_way(self, seconds: float) -> None:
        self.gave_way_s += seconds

    def grow(self) -> None:
        """It is a large one, which gives way to others' small ones."""
        self.is_large = True
        self._look_at_itself()
        self._count(is_small=False)

    def _count(self, *, is_small: bool) -> None:
        if is_small != self._is_counted:
            self._is_counted = is_small
            self.turns.count_small(self.flow, 1 if is_small else -1)

    def become(self, other: Turn) -> None:
        """Go on as another participant, who pays for all of it."""
        if self.participant is not other.participant:
            spent_s, self.spent_s = self.spent_s, 0.0
            self._count(is_small=False)
            self._settle()
            self.flow, self.participant = other.flow, other.participant
            self._look_at_itself()
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
        """Its participant's next is taken to need as much; what was paid before and not taken is given back."""
        if self.spent_s:
            self.participant.expected_s += MOVES * (self.spent_s - self.participant.expected_s)
        self.give_back()

    def give_back(self) -> None:
        """Give back what was paid before and not taken."""
        left_s = self.prepaid_s - self.spent_s
        self.participant.next_at -= left_s
        self.flow.credit_s += max(0.0, left_s)
        self.prepaid_s = self.spent_s = 0.0


_current: ContextVar[Turn | None] = ContextVar("turn", default=None)


def current() -> Turn | None:
    """The turn in which this code runs."""
    return _current.get()


@asynccontextmanager
async def part(expected_s: float) -> AsyncIterator[Callable[[float], None]]:
    """A long part of a request beside the loop, which pays before it begins what it is taken to need.

    Otherwise as many as come at once would all begin, each for the price of a small request. Gives what charges for the
    time that it took. Raises RateLimited.
    """
    whole = current()
    if whole is None or whole.is_over:
        yield lambda seconds: None
        return
    turn = Turn(whole.turns, whole.flow, whole.participant)
    try:
        if not turn.turns.may_begin(turn, expected_s):
            await turn.turns.wait(turn, None)
        yield turn.charge
    finally:
        if turn.is_large and not whole.is_over:
            whole.grow()
        turn.give_back()


def sharer() -> Flow | None:
    """Whose share is taken of what all requests have together; None for whoever is not bounded."""
    turn = _current.get()
    return turn.flow if turn is not None and turn.flow.share.is_bounded else None


class _Charged(Coroutine[Any, Any, Any]):
    """A coroutine of which each step is charged for."""

    __slots__ = ("_turn", "_work")

    def __init__(self, work: Coroutine[Any, Any, Any], turn: Turn) -> None:
        self._work, self._turn = work, turn

    def __next__(self) -> Any:
        turn = self._turn
        if turn.gives_way and (way := turn.way()) is not None:
            # To whatever runs the task, the coroutine waits for that.
            way._asyncio_future_blocking = True
            return way
        began_at = _now()
        try:
            return self._work.send(None)
        finally:
            taken_s = _now() - began_at
            turn.charge(taken_s)
            if turn.gives_way:
                turn.turns.passes.take(taken_s)

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
