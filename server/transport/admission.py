"""Who may have how much in hand: work and sockets are counted by person, or by address for somebody without a session.

What goes beyond is refused at once. A token counts as a session only when it has proved to be one: a made-up token buys
nothing.
"""

from __future__ import annotations

import asyncio
import resource
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address
from time import monotonic
from typing import Protocol

import rules.rate_limits
from rules.failures import RateLimited
from server.transport.limits import SIGNED_IN, STRANGER, Bounds

PROOF_LASTS_S = 60.0
MOST_PROOFS = 10_000
# At most every other moment is a stranger's.
LEAST_PAUSE_S = 0.002
HEAVY = 2_000
RETRY_AFTER_S = 1
AT_ONCE = nullcontext()
TOO_MUCH = "Too much of yours is under way. Nothing was changed; try again in a moment."


@dataclass(frozen=True)
class Room:
    """How much a process has in hand at most."""

    of_one: int = 100
    # Of an IPv6 /56, as large as a provider gives to one household.
    of_household: int = 200
    of_strangers: int = 400
    of_all: int = 1_000
    sockets_of_stranger: int = 100
    sockets_of_household: int = 200
    sockets_of_person: int = 250
    sockets_of_strangers: int = 2_000


ROOM = Room()
# What every refusal of these bounds carries; most of one are the bound that one client can keep to.
REFUSED = {"Retry-After": str(RETRY_AFTER_S), **rules.rate_limits.at_once(ROOM.of_one, RETRY_AFTER_S)}


class Caller(Protocol):
    """What is asked of a request's context."""

    @property
    def address_key(self) -> str:
        """Whom a request without a session counts for."""

    @property
    def session_key(self) -> bytes | None:
        """The digest of what may be a session's token."""

    async def person_key(self) -> str | None:
        """Whom a request with a live session counts for; None without one."""


class Admission:
    """The counters of one process."""

    def __init__(self, room: Room = ROOM) -> None:
        self.room = room
        self.in_hand: Counter[str] = Counter()
        self.sockets: Counter[str] = Counter()
        self.strangers = _Turns()
        self._proofs: OrderedDict[bytes, tuple[str, float]] = OrderedDict()
        self._heavy: dict[str, asyncio.Lock] = {}

    def known(self, client: Caller) -> str | None:
        """The person, where the session has been seen alive within a minute."""
        key = client.session_key
        proof = self._proofs.get(key) if key is not None else None
        return proof[0] if proof and proof[1] > monotonic() else None

    async def person(self, client: Caller) -> str | None:
        """The person, looked up unless known."""
        known = self.known(client)
        key = client.session_key
        if known or key is None:
            return known
        person = await client.person_key()
        if person:
            self._proofs[key] = person, monotonic() + PROOF_LASTS_S
            self._proofs.move_to_end(key)
            while len(self._proofs) > MOST_PROOFS:
                self._proofs.popitem(last=False)
        return person

    def work(self, client: Caller) -> _Held:
        """One more in hand. Raises RateLimited at once, as it begins, when it is too much."""
        person = self.known(client)
        if person:
            return _Held(self.in_hand, {"all": self.room.of_all, person: self.room.of_one})
        most = {"all": self.room.of_all, "strangers": self.room.of_strangers, client.address_key: self.room.of_one}
        return _Held(self.in_hand, most | household(client.address_key, self.room.of_household))

    def open_socket(self, client: Caller, person: str | None) -> _Held:
        """Count one more socket until it is released. Raises RateLimited when there are too many."""
        if person:
            return _Held(self.sockets, {person: self.room.sockets_of_person}).hold()
        most = {
            "strangers": _within_files(self.room.sockets_of_strangers),
            client.address_key: self.room.sockets_of_stranger,
        }
        return _Held(self.sockets, most | household(client.address_key, self.room.sockets_of_household)).hold()

    def turn(self, bounds: Bounds) -> AbstractAsyncContextManager[None]:
        """Wait, as a stranger, until those before have begun and the loop has had as long for others."""
        return AT_ONCE if bounds is SIGNED_IN else self.strangers.next()

    def one_at_a_time(self, person: str | None, cost: float) -> AbstractAsyncContextManager[None]:
        """Hold a heavy operation until the person's heavy one before it is done."""
        return AT_ONCE if person is None or cost < HEAVY else self._heavy_one(person)

    @asynccontextmanager
    async def _heavy_one(self, person: str) -> AsyncIterator[None]:
        lock = self._heavy.setdefault(person, asyncio.Lock())
        try:
            async with lock:
                started = monotonic()
                yield
                await asyncio.sleep(min(monotonic() - started, 0.1))
        finally:
            if not lock.locked() and self._heavy.get(person) is lock:
                del self._heavy[person]


class _Held:
    """Something that is counted from when it is held until it is released."""

    def __init__(self, counter: Counter[str], most: dict[str, int]) -> None:
        self.counter, self.most = counter, most

    def hold(self) -> _Held:
        """Count one more of each. Raises RateLimited when that is too many of one."""
        counter = self.counter
        for key, limit in self.most.items():
            if counter[key] >= limit:
                raise RateLimited(TOO_MUCH)
        for key in self.most:
            counter[key] += 1
        return self

    def __enter__(self) -> _Held:
        return self.hold()

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Count it no more."""
        for key in self.most:
            self.counter[key] -= 1
            if not self.counter[key]:
                del self.counter[key]
        self.most = {}


class _Turns:
    """One after another, each followed by a pause as long as its beginning took."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._free_at = 0.0

    @asynccontextmanager
    async def next(self) -> AsyncIterator[None]:
        async with self._lock:
            if (pause := self._free_at - monotonic()) > 0:
                await asyncio.sleep(pause)
            started = monotonic()
            try:
                yield
            finally:
                ended = monotonic()
                self._free_at = ended + max(LEAST_PAUSE_S, ended - started)


def bounds_of(person: str | None) -> Bounds:
    """How large a document may be."""
    return SIGNED_IN if person else STRANGER


def _within_files(most: int) -> int:
    """So many, and half of the files there may be: the other half is for persons and for requests."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most if soft == resource.RLIM_INFINITY else min(most, soft // 2)


def household(key: str, most: int) -> dict[str, int]:
    """How much the /56 around an address's key may have; nothing more is counted of others."""
    return {network: most} if key.endswith("/64") and (network := _network_of(key)) else {}


@lru_cache(10_000)
def _network_of(key: str) -> str:
    return f"network:{IPv6Network(key.removeprefix('address:')).supernet(new_prefix=56)}"


def address_key(address: str | None) -> str:
    """What an address counts as: an IPv6 one as its /64, which is one line's."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return f"address:{address}"
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    if isinstance(parsed, IPv6Address):
        return f"address:{IPv6Address(int(parsed) >> 64 << 64)}/64"
    return f"address:{parsed}"
