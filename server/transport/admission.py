"""Who may have how much in hand: work and sockets are counted by person, or by address for somebody without a session.

What goes beyond is refused at once. A token counts as a session only when it has proved to be one: a made-up token buys
nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from ipaddress import IPv6Address, ip_address
from time import monotonic
from typing import Protocol

from rules.failures import RateLimited
from rules.rate_limits import at_once
from server.transport.limits import SIGNED_IN, STRANGER, Bounds

MOST_OF_ONE = 100
MOST_OF_STRANGERS = 400
MOST_IN_ALL = 1_000
MOST_SOCKETS_OF_STRANGER = 100
MOST_SOCKETS_OF_PERSON = 250
MOST_SOCKETS_OF_STRANGERS = 2_000
PROOF_LASTS_S = 60.0
MOST_PROOFS = 10_000
# At most every other moment is a stranger's.
LEAST_PAUSE_S = 0.002
HEAVY = 2_000
RETRY_AFTER_S = 1
# What every refusal of these bounds carries; most of one are the bound that one client can keep to.
REFUSED = {"Retry-After": str(RETRY_AFTER_S), **at_once(MOST_OF_ONE, RETRY_AFTER_S)}
TOO_MUCH = "Too much of yours is under way. Nothing was changed; try again in a moment."


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

    def __init__(self) -> None:
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

    @contextmanager
    def work(self, client: Caller) -> Iterator[None]:
        """Have one more in hand. Raises RateLimited at once when it is too much."""
        person = self.known(client)
        keys = ("all", person) if person else ("all", "strangers", client.address_key)
        most = {"all": MOST_IN_ALL, "strangers": MOST_OF_STRANGERS}
        with _counted(self.in_hand, {key: most.get(key, MOST_OF_ONE) for key in keys}):
            yield

    def open_socket(self, client: Caller, person: str | None) -> _Held:
        """Count one more socket until it is released. Raises RateLimited when there are too many."""
        if person:
            return _Held(self.sockets, {person: MOST_SOCKETS_OF_PERSON})
        most = {"strangers": MOST_SOCKETS_OF_STRANGERS, client.address_key: MOST_SOCKETS_OF_STRANGER}
        return _Held(self.sockets, most)

    @asynccontextmanager
    async def turn(self, bounds: Bounds) -> AsyncIterator[None]:
        """Wait, as a stranger, until those before have begun and the loop has had as long for others."""
        if bounds is SIGNED_IN:
            yield
            return
        async with self.strangers.next():
            yield

    @asynccontextmanager
    async def one_at_a_time(self, person: str | None, cost: float) -> AsyncIterator[None]:
        """Hold a heavy operation until the person's heavy one before it is done."""
        if person is None or cost < HEAVY:
            yield
            return
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
    """Something counted until it is released."""

    def __init__(self, counter: Counter[str], most: dict[str, int]) -> None:
        if any(counter[key] >= limit for key, limit in most.items()):
            raise RateLimited(TOO_MUCH)
        self.counter, self.keys = counter, list(most)
        self.counter.update(self.keys)

    def release(self) -> None:
        """Count it no more."""
        for key in self.keys:
            self.counter[key] -= 1
            if not self.counter[key]:
                del self.counter[key]
        self.keys = []


@contextmanager
def _counted(counter: Counter[str], most: dict[str, int]) -> Iterator[None]:
    held = _Held(counter, most)
    try:
        yield
    finally:
        held.release()


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
