"""Slow hashes off the event loop: a bounded number at once, and behind them lines in which askers take turns."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import rules.passwords
from rules.failures import RateLimited
from rules.slow_hash import HASH_COST, HashCost
from telemetry import metrics

LONGEST_QUEUE = 200
# Of those who have shown something, while strangers wait: so neither keeps the other waiting for ever.
MOST_IN_A_ROW = 4
# A wrong guess waits at most so long for what another kind of hash would have taken: all the while it is in hand.
LONGEST_PAUSE_S = 0.5
# Guesses must not take the processor from the event loop; where it is free, a hash is as fast as ever.
NICENESS = 10

Result = TypeVar("Result")


@dataclass(frozen=True)
class Asker:
    """For whom a hash is made. Those of one key share a turn; a stranger has shown nothing that only the person has."""

    key: str
    is_stranger: bool = False


@dataclass(frozen=True)
class _Job:
    call: Callable[[], Any]
    done: asyncio.Future[Any]


class _Line:
    """What waits: each asker's in order, the askers in turns."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._askers: OrderedDict[str, deque[_Job]] = OrderedDict()
        self._count = 0

    def __bool__(self) -> bool:
        return self._count > 0

    def add(self, key: str, job: _Job) -> None:
        """Let it wait; when all is full, in the place of another's who has more. Raises RateLimited."""
        if self._count >= self._room:
            most = max(self._askers, key=self._of, default=key)
            if self._of(most) <= self._of(key) + 1:
                raise RateLimited
            given_up = self._take(most, -1).done
            if not given_up.done():  # whoever asked may have gone just now
                given_up.set_exception(RateLimited())
        self._askers.setdefault(key, deque()).append(job)
        self._count += 1

    def next(self) -> _Job:
        """The oldest of whoever's turn it is."""
        key = next(iter(self._askers))
        job = self._take(key, 0)
        if key in self._askers:
            self._askers.move_to_end(key)
        return job

    def leave(self, key: str, job: _Job) -> None:
        """Let it wait no longer, if it does."""
        if job in self._askers.get(key, ()):
            self._take(key, self._askers[key].index(job))

    def _of(self, key: str) -> int:
        return len(self._askers.get(key, ()))

    def _take(self, key: str, index: int) -> _Job:
        jobs = self._askers[key]
        job = jobs[index]
        del jobs[index]
        if not jobs:
            del self._askers[key]
        self._count -= 1
        return job


class Hasher:
    """Runs argon2 in threads, which free the interpreter lock meanwhile: one fewer than there are cores.

    Whatever its priority, a hash keeps a core for some milliseconds once it has it; the event loop and the database
    must find room on another. However many strangers guess, those who have shown something are served before them,
    and no address's guesses keep another's waiting for more than their turn.
    """

    def __init__(self, cost: HashCost = HASH_COST, longest_queue: int = LONGEST_QUEUE) -> None:
        self.cost = cost
        self.nobodys = rules.passwords.nobodys_hash(cost)
        threads = max(1, (os.cpu_count() or 2) - 1)
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="hash", initializer=_give_way)
        # One more than run, so that no thread waits for the loop to hand it the next.
        self._free = threads + 1
        self._known, self._strangers = _Line(longest_queue), _Line(longest_queue // 2)
        self._in_a_row = 0
        self._slowest_s = 0.0  # of processor time

    async def run(self, asker: Asker, function: Callable[..., Result], *arguments: object) -> Result:
        """Call `function` in a thread. Raises RateLimited when too many hashes wait already."""
        job = _Job(partial(function, *arguments), asyncio.get_running_loop().create_future())
        line = self._strangers if asker.is_stranger else self._known
        line.add(asker.key, job)
        metrics.ARGON2_QUEUE.inc()
        try:
            self._begin()
            result: Result = await job.done
            return result
        finally:
            line.leave(asker.key, job)
            metrics.ARGON2_QUEUE.dec()

    async def compare(self, asker: Asker, matches: Callable[..., bool], *arguments: object) -> bool:
        """Whether `matches` in a thread; where it does not, answered no sooner than by the slowest one seen so far.

        Hashes that other products made take more, and who still has one must not show. Raises RateLimited.
        """
        is_right, processor_s, took_s = await self.run(asker, partial(_timed, matches), *arguments)
        self._slowest_s = max(self._slowest_s, processor_s)
        if not is_right:
            # On a busy machine that one would have been slower, too.
            stretched = (self._slowest_s - processor_s) * max(1.0, took_s / processor_s)
            await asyncio.sleep(min(stretched, LONGEST_PAUSE_S))
        return is_right

    def close(self) -> None:
        """Stop once the hashes under way are done."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _begin(self) -> None:
        while self._free and (self._known or self._strangers):
            are_strangers_next = self._strangers and (not self._known or self._in_a_row >= MOST_IN_A_ROW)
            self._in_a_row = 0 if are_strangers_next else self._in_a_row + 1
            job = (self._strangers if are_strangers_next else self._known).next()
            if job.done.done():
                continue
            self._free -= 1
            running = asyncio.get_running_loop().run_in_executor(self._executor, job.call)
            running.add_done_callback(partial(self._ended, job.done))

    def _ended(self, done: asyncio.Future[Any], ended: asyncio.Future[Any]) -> None:
        self._free += 1
        if ended.cancelled():
            done.cancel()
            return
        error = ended.exception()
        if done.done():  # whoever asked has gone
            pass
        elif error is not None:
            done.set_exception(error)
        else:
            done.set_result(ended.result())
        self._begin()


def _timed(matches: Callable[..., bool], *arguments: object) -> tuple[bool, float, float]:
    """What it says, and the seconds of the processor and of the clock that it took."""
    processor_s, began_at = time.thread_time(), time.perf_counter()
    is_right = matches(*arguments)
    return is_right, max(time.thread_time() - processor_s, 1e-6), time.perf_counter() - began_at


def _give_way() -> None:
    if sys.platform == "linux":  # where each thread has a priority of its own
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
