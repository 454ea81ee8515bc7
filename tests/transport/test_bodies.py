"""Bodies that come slowly keep nobody out, and room that strangers have filled nobody who has been here before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from rules.failures import RateLimited
from server.transport.addresses import address_key
from server.transport.admission import Admission, Room
from server.transport.patience import Patience
from settings import Settings
from tests.client import http_client
from tests.transport.held import Slow, admission_of_last, on_their_way
from tests.transport.owing import Caller
from tests.transport.small import small_server
from tests.waiting import LIMIT_S, soon, until

PATIENT = Patience(body_s=LIMIT_S)
FEW = [f"127.0.0.{n}" for n in range(2, 12)]
MADE_UP, MINE, KNOWN = {"authorization": "Bearer made-up"}, {"authorization": "Bearer mine"}, {"cookie": "device=olive"}


async def status(http: httpx.AsyncClient, headers: dict[str, str] | None = None) -> int:
    return (await http.post("/graphql", json={"query": "{ hello }"}, headers=headers)).status_code


async def test_four_hundred_slow_bodies_from_ten_addresses_keep_nobody_out_there_or_elsewhere() -> None:
    async with small_server(Settings(), PATIENT, Room(most_owed_s=0.0)) as http:
        admission, port = admission_of_last(), http.base_url.port
        slow = [await Slow.begin(port, address) for address in FEW for _ in range(40)]
        await until(lambda: on_their_way(admission) == 400, "all are on their way")
        assert await status(http) == 200
        assert not admission.in_hand
        office = httpx.AsyncHTTPTransport(local_address=FEW[0])
        async with http_client(str(http.base_url), transport=office) as colleague:
            assert await status(colleague) == 200
        assert await slow[0].end() == 200
        for each in slow:
            each.writer.close()
        await until(lambda: not admission.bodies, "none is waited for")


@pytest.mark.parametrize("room", [Room(of_one=2), Room(bodies=2)], ids=["of one", "of all"])
async def test_of_too_many_the_one_that_has_taken_longest_gives_way_to_the_newest(room: Room) -> None:
    async with small_server(Settings(), PATIENT, room) as http:
        admission, slow = admission_of_last(), []
        for count in (1, 2, 2):
            slow.append(await Slow.begin(http.base_url.port))
            await until(lambda count=count: on_their_way(admission) == count, "it is on its way")  # type: ignore[misc]
        assert await soon(slow[0].status()) == 429
        assert [await soon(each.end()) for each in slow[1:]] == [200, 200]
        assert not admission.bodies
        assert not admission.in_hand


async def test_one_household_has_bodies_on_their_way_as_one_however_many_networks_it_calls_from() -> None:
    admission = Admission(Room(of_household=2))
    bodies = [admission.body(Caller(address_key(f"2001:db8:0:{n:x}::1"))) for n in range(3)]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(None) as limit:
            with ExitStack() as on_their_way:
                for each in bodies:
                    on_their_way.enter_context(each.on_its_way(limit))
                await asyncio.Event().wait()
    assert [each.gave_way for each in bodies] == [True, False, False]
    assert not admission.bodies


@contextmanager
def full_of_strangers(admission: Admission) -> Iterator[None]:
    """No stranger has room any more."""
    held = []
    with pytest.raises(RateLimited):
        for n in range(1_000):
            held.append(admission.work(Caller(f"address:192.0.2.{n}")).hold())
    yield
    for each in held:
        each.release()


@pytest.mark.parametrize(
    ("headers", "expected"), [({}, 429), (MADE_UP, 429), (MINE, 200), (KNOWN, 200)], ids=["none", "up", "mine", "known"]
)
async def test_where_strangers_have_no_room_who_has_a_session_or_has_signed_in_here_before_is_let_in(
    headers: dict[str, str], expected: int
) -> None:
    async with small_server(Settings(), PATIENT, Room(of_strangers=4, most_owed_s=0.0)) as http:
        admission = admission_of_last()
        with full_of_strangers(admission):
            assert await status(http, headers) == expected
        assert not admission.in_hand
        assert not admission.looks


async def test_a_body_that_has_come_late_is_let_in_as_well() -> None:
    async with small_server(Settings(), PATIENT, Room(of_strangers=4, most_owed_s=0.0)) as http:
        admission = admission_of_last()
        slow = await Slow.begin(http.base_url.port)
        await until(lambda: on_their_way(admission), "it is on its way")
        with full_of_strangers(admission):
            assert await soon(slow.end()) == 429
        assert not admission.in_hand


class Made(Caller):
    """Somebody with a token, which is looked up when it is told to."""

    looks = 0

    def __init__(self, address: str, token: bytes, person: str | None = None) -> None:
        super().__init__(f"address:{address}")
        self.session_key, self.person, self.go = token, person, asyncio.Event()

    async def person_key(self) -> str | None:
        Made.looks += 1
        await self.go.wait()
        return self.person


async def test_of_tokens_not_seen_before_a_few_are_looked_up_at_once_and_the_rest_is_refused_without_a_look() -> None:
    admission, before = Admission(Room(of_strangers=0, most_owed_s=0.0, looks=40, looks_of_one=10)), Made.looks
    callers = [Made("192.0.2.1", b"%d" % n) for n in range(100)]
    asked = [asyncio.create_task(admission.let_in(each, {"type": "http"})) for each in callers]
    await until(lambda: sum(each.done() for each in asked) == 90, "the rest is refused")
    somebody = Made("192.0.2.2", b"mine", "person:mia")
    somebody.go.set()
    (await admission.let_in(somebody, {"type": "http"})).release()
    for each in callers:
        each.go.set()
    refused = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(each) for each in refused} == {RateLimited}
    assert Made.looks == before + 10 + 1
    assert not admission.looks


async def test_a_session_seen_once_has_its_persons_room_without_a_look_until_it_is_seen_to_have_ended() -> None:
    admission, mia = Admission(Room(of_strangers=0)), Made("192.0.2.1", b"mia", "person:mia")
    mia.go.set()
    await admission.person(mia)
    admission._proofs[b"mia"] = "person:mia", 0.0
    with admission.work(mia):
        assert admission.in_hand["person:mia"] == 1
    mia.person = None
    await admission.person(mia)
    with pytest.raises(RateLimited):
        admission.work(mia).hold()


def test_whoever_signed_in_here_before_has_so_much_in_hand_and_no_more() -> None:
    admission = Admission(Room(of_strangers=0, of_device=2, of_devices=3))
    olive, mia = Caller("address:192.0.2.1", "device:olive"), Caller("address:192.0.2.1", "device:mia")
    held = [admission.work(olive).hold() for _ in range(2)]
    with pytest.raises(RateLimited):
        admission.work(olive).hold()
    held.append(admission.work(mia).hold())
    with pytest.raises(RateLimited):
        admission.work(mia).hold()
    for each in held:
        each.release()
    assert not admission.in_hand
