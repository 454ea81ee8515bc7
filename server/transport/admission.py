"""Who may have how much in hand: work and sockets are counted by person, or by address for somebody without a session.

What goes beyond is refused at once. A token counts as a session only when it has proved to be one: a made-up token buys
nothing.
"""

from __future__ import annotations

import resource
from collections import Counter, OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any, Protocol, TypeVar

from starlette.types import Scope

import rules.rate_limits
from rules.failures import RateLimited
from server.transport import charging
from server.transport.addresses import household_of
from server.transport.arriving import Body, Under
from server.transport.bounds import SIGNED_IN, STRANGER, Bounds
from server.transport.charging import Turn
from server.transport.flows import PERSON, PROBES, SERVICE, STRANGERS
from server.transport.heavy import Heavy
from server.transport.held import Held
from server.transport.turns import LONGEST_WAIT_S, MOST_OWED_S, Turns

PROOF_LASTS_S = 60.0
# For so much longer the person's turn is taken: whoever holds a session that has ended has them no longer than that.
TURN_LASTS_S = 240.0
MOST_PROOFS = 10_000
RETRY_AFTER_S = 1


@dataclass(frozen=True)
class Room:
    """How much a process has in hand at most."""

    of_one: int = 100
    # Of an IPv6 /56, as large as a provider gives to one household.
    of_household: int = 200
    of_strangers: int = 400
    of_all: int = 1_000
    # For whoever has signed in before on the device that asks, once strangers have no room left.
    of_device: int = 20
    of_devices: int = 200
    # Tokens not seen before that are looked up at once, when strangers have no room left.
    looks: int = 40
    looks_of_one: int = 10
    # Bodies on their way, of all strangers and of all persons each.
    bodies: int = 1_000
    sockets_of_stranger: int = 100
    sockets_of_household: int = 200
    sockets_of_person: int = 250
    sockets_of_strangers: int = 2_000
    # For a turn, and what those who share one may owe of the loop's time.
    longest_wait_s: float = LONGEST_WAIT_S
    most_owed_s: float = MOST_OWED_S


ROOM = Room()
# What every refusal of these bounds carries; most of one are the bound that one client can keep to.
REFUSED = {"Retry-After": str(RETRY_AFTER_S), **rules.rate_limits.at_once(ROOM.of_one, RETRY_AFTER_S)}
# Where the scope of a request holds what knows whether its client has gone.
CONNECTION = "gatehouse.connection"

Result = TypeVar("Result")


class Caller(Protocol):
    """What is asked of a request's context."""

    @property
    def address_key(self) -> str:
        """Whom a request without a session counts for."""

    @property
    def session_key(self) -> bytes | None:
        """The digest of what may be a session's token."""

    @property
    def device_key(self) -> str | None:
        """Whom a request counts for that comes from where they have signed in before. It asks no database."""

    async def person_key(self) -> str | None:
        """Whom a request with a live session counts for; None without one."""


class Admission:
    """The counters of one process."""

    def __init__(self, room: Room = ROOM) -> None:
        self.room = room
        self.in_hand: Counter[str] = Counter()
        self.looks: Counter[str] = Counter()
        self.bodies: Under = {}
        self.sockets: Counter[str] = Counter()
        self.turns = Turns(room.longest_wait_s, room.most_owed_s)
        self._proofs: OrderedDict[bytes, tuple[str, float]] = OrderedDict()
        self.heavy = Heavy()

    def known(self, client: Caller) -> str | None:
        """The person, where the session has been seen alive within a minute."""
        key = client.session_key
        proof = self._proofs.get(key) if key is not None else None
        return proof[0] if proof and proof[1] > monotonic() else None

    def doubt(self, client: Caller) -> None:
        """Look the session up again before it is taken for alive."""
        if client.session_key is not None:
            self._proofs.pop(client.session_key, None)

    async def person(self, client: Caller) -> str | None:
        """The person, looked up unless known."""
        known = self.known(client)
        key = client.session_key
        if known or key is None:
            return known
        person = await client.person_key()
        if person is None:
            self._proofs.pop(key, None)
        else:
            self._proofs[key] = person, monotonic() + PROOF_LASTS_S
            self._proofs.move_to_end(key)
            if (turn := charging.current()) is not None:
                turn.become(self._turn_of_person(person))
            while len(self._proofs) > MOST_PROOFS:
                self._proofs.popitem(last=False)
        return person

    def work(self, client: Caller) -> Held:
        """One more in hand. Raises RateLimited at once, as it begins, when it is too much.

        Strangers share one room. Once that is full, two of them have another: whoever was seen behind the session
        before, and whoever has signed in on the device before. A session or device that is made up has none, and to
        tell that costs no look at the database.
        """
        room, person = self.room, self.known(client)
        left = room.of_all - self.in_hand.get("all", 0)
        if person:
            return Held(self.in_hand, {"all": room.of_all, person: min(room.of_one, left)})
        most = {"all": room.of_all, "strangers": room.of_strangers}
        left_to_strangers = min(left, room.of_strangers - self.in_hand["strangers"])
        own = _of_address(client, left_to_strangers, room.of_one, room.of_household)
        return Held(self.in_hand, most | own, partial(self._of_whoever_was_here, client, left))

    def _of_whoever_was_here(self, client: Caller, left: int) -> dict[str, int] | None:
        key, room = client.session_key, self.room
        if key is not None and (proof := self._proofs.get(key)):
            return {"all": room.of_all, proof[0]: min(room.of_one, left)}
        if (device := client.device_key) is None:
            return None
        return {"all": room.of_all, "devices": room.of_devices, device: min(room.of_device, left)}

    async def let_in(self, client: Caller, scope: Scope) -> Held:
        """One more in hand, from now on. Raises RateLimited; for a token not seen before, once it is looked up."""
        try:
            return self.work(client).hold()
        except RateLimited:
            if not await self._is_somebody(client, scope):
                raise
        return self.work(client).hold()

    async def _is_somebody(self, client: Caller, scope: Scope) -> bool:
        """Whether a session or key is behind a token not seen before. Raises RateLimited when too many are asked."""
        if client.session_key is None or self.known(client):
            return False
        most = {"all": self.room.looks}
        own = _of_address(
            client, self.room.looks - self.looks["all"], self.room.looks_of_one, 2 * self.room.looks_of_one
        )
        with Held(self.looks, most | own):
            if charging.current() is not None:
                return await self.person(client) is not None
            return await self.in_turn(client, scope, partial(self.person, client)) is not None

    def body(self, client: Caller) -> Body:
        """A body on its way, which is not in hand yet."""
        room, person = self.room, self.known(client)
        if person:
            return Body(self.bodies, {"persons": room.bodies, person: room.of_one})
        own = _of_address(client, room.bodies, room.of_one, room.of_household)
        return Body(self.bodies, {"strangers": room.bodies} | own)

    def open_socket(self, client: Caller, person: str | None) -> Held:
        """Count one more socket until it is released. Raises RateLimited when there are too many."""
        room = self.room
        if person:
            return Held(self.sockets, {person: room.sockets_of_person}).hold()
        most = _within_files(room.sockets_of_strangers)
        left = most - self.sockets["strangers"]
        own = _of_address(client, left, room.sockets_of_stranger, room.sockets_of_household)
        return Held(self.sockets, {"strangers": most} | own).hold()

    def turn_of(self, client: Caller) -> Turn:
        """A turn of the person who was seen behind the session, or else of the address or household."""
        key = client.session_key
        proof = self._proofs.get(key) if key is not None else None
        if proof and proof[1] + TURN_LASTS_S > monotonic():
            return self._turn_of_person(proof[0])
        address = client.address_key
        return self.turns.turn("strangers", household_of(address) or address, STRANGERS)

    def _turn_of_person(self, person: str) -> Turn:
        return self.turns.turn(person, person, SERVICE if person.startswith("service:") else PERSON)

    def turn_of_probe(self, client: Caller) -> Turn:
        """A turn of whoever asks how we are."""
        return self.turns.turn("probes", client.address_key, PROBES)

    async def in_turn(self, client: Caller, scope: Scope, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Do it when it is the client's turn. Raises RateLimited when that takes too long."""
        is_request = scope["type"] == "http"
        return await self.turn_of(client).take(work, scope.get(CONNECTION), lasts_short=is_request)


def bounds_of(person: str | None) -> Bounds:
    """How large a document may be."""
    return SIGNED_IN if person else STRANGER


def _within_files(most: int) -> int:
    """So many, and half of the files there may be: the other half is for persons and for requests."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most if soft == resource.RLIM_INFINITY else min(most, soft // 2)


def _of_address(client: Caller, left: int, most: int, of_household: int) -> dict[str, int]:
    """How much an address and the household around it may have: never more than is left for all others."""
    key = client.address_key
    household = household_of(key)
    own = {key: min(most, left)}
    return own | {household: min(of_household, left)} if household else own
