"""The event loop's time is taken in turns: by persons, by strangers together, and among these by address."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.routing import Route

from rules.failures import RateLimited
from server.transport.admission import Admission, Room
from server.transport.charging import Turn, charge_tasks
from server.transport.flows import PERSON, PROBES, STRANGERS
from server.transport.graphql_http import GraphQLEndpoint
from server.transport.http_protocol import Upgrades
from server.transport.passes import MOST_OF_A_PASS_S
from server.transport.turns import Turns
from settings import Settings
from tests.transport.small import running, small_server
from tests.transport.sockets import ready
from tests.waiting import soon, stand_still, until

MINE = {"authorization": "Bearer mine"}
# So long that no machine is ever stopped for it.
FOR_LONG_S = 1_000.0


def owing(longest_wait_s: float = FOR_LONG_S) -> Turns:
    """Turns in which nothing is forgiven, and where whoever has asked once counts as one who asks."""
    return Turns(longest_wait_s, 2 * FOR_LONG_S, FOR_LONG_S)


def stranger(turns: Turns, address: str = "address:other") -> Turn:
    return turns.turn("strangers", address, STRANGERS)


@contextmanager
def strangers_owe(turns: Turns) -> Iterator[None]:
    """Strangers have had so much of the loop that none of them begins, as beside an attack that does not end."""
    turn = stranger(turns)
    turn.charge(FOR_LONG_S)
    yield
    turn.flow.credit_s = 0.0


async def some_passes() -> None:
    for _ in range(100):
        await asyncio.sleep(0)


async def test_where_nobody_waits_and_nothing_is_owed_a_turn_comes_at_once() -> None:
    turns = Turns()
    for turn in (stranger(turns), turns.turn("person:1", "person:1", PERSON), turns.turn("probes", "x", PROBES)):
        with pytest.raises(StopIteration):
            turn.begin().send(None)


async def test_a_strangers_queued_work_is_passed_by_a_persons_and_by_a_probes() -> None:
    turns = owing()
    with strangers_owe(turns):
        queued = asyncio.create_task(stranger(turns).begin())
        await some_passes()
        await turns.turn("person:1", "person:1", PERSON).begin()
        await turns.turn("probes", "address:probe", PROBES).begin()
        assert not queued.done()
    await soon(queued)


async def test_a_process_that_stood_still_for_longer_than_anybody_waits_refuses_nobody_for_it() -> None:
    turns = Turns(2.0)
    stranger(turns).charge(FOR_LONG_S)
    waiting = [asyncio.create_task(stranger(turns, f"address:{n}").begin()) for n in range(20)]
    await some_passes()
    stand_still(2.5)
    await soon(asyncio.gather(*waiting))


async def test_an_address_that_asks_once_comes_before_what_another_has_queued_already() -> None:
    turns = owing()
    begun: list[str] = []

    async def ask(address: str) -> None:
        turn = stranger(turns, address)
        await turn.begin()
        begun.append(address)

    with strangers_owe(turns):
        asking = [asyncio.create_task(ask("address:many")) for _ in range(50)]
        await some_passes()
        asking.append(asyncio.create_task(ask("address:once")))
        await some_passes()
        assert begun == []
    await until(lambda: "address:once" in begun, "its turn")
    assert begun.index("address:once") <= 1
    await soon(asyncio.gather(*asking))


async def test_of_two_addresses_the_one_that_takes_more_each_time_begins_less_often() -> None:
    turns = Turns()
    begun = {"address:small": 0, "address:large": 0}

    async def ask(address: str, taken_s: float) -> None:
        turn = stranger(turns, address)
        while True:
            await turn.begin()
            begun[address] += 1
            turn.charge(taken_s)

    asking = [asyncio.create_task(ask("address:small", 0.001)) for _ in range(2)]
    asking += [asyncio.create_task(ask("address:large", 0.010)) for _ in range(20)]
    await until(lambda: begun["address:large"] >= 25, "it is known what they take")
    before = dict(begun)
    await until(lambda: begun["address:large"] >= before["address:large"] + 10, "both their turns")
    for each in asking:
        each.cancel()
    more = {address: begun[address] - before[address] for address in begun}
    assert more["address:small"] > 3 * more["address:large"]


async def test_a_person_who_takes_much_waits_only_while_another_person_asks() -> None:
    turns = owing()
    busy, other = (turns.turn(name, name, PERSON) for name in ("person:busy", "person:other"))
    for _ in range(3):
        await busy.begin()
        busy.charge(FOR_LONG_S)
    await other.begin()
    waits = asyncio.create_task(busy.begin())
    await some_passes()
    assert not waits.done()
    busy.flow.credit_s = 0.0
    await soon(waits)


async def test_a_person_who_has_taken_less_than_the_other_goes_first_though_both_owe() -> None:
    turns = owing()
    busy, other = (turns.turn(name, name, PERSON) for name in ("person:busy", "person:other"))
    for turn, taken_s in ((other, 10.0), (busy, FOR_LONG_S)):
        await turn.begin()
        turn.charge(taken_s)
    await other.begin()
    waits = asyncio.create_task(busy.begin())
    await some_passes()
    assert not waits.done()
    busy.flow.credit_s = 0.0
    await soon(waits)


@pytest.mark.parametrize("who", ["stranger", "person with a large request"])
async def test_what_has_begun_gives_way_to_a_persons_small_request_and_goes_on_after_it(who: str) -> None:
    turns = Turns()
    done: list[str] = []
    is_asked, goes_on = asyncio.Event(), asyncio.Event()
    giving_way = stranger(turns) if who == "stranger" else turns.turn("person:1", "person:1", PERSON)

    async def several_steps() -> None:
        giving_way.grow()
        await is_asked.wait()
        done.append(who)

    async def small() -> None:
        is_asked.set()
        await some_passes()
        done.append("small")
        await goes_on.wait()

    first = asyncio.create_task(giving_way.take(several_steps))
    await some_passes()
    second = asyncio.create_task(turns.turn("person:2", "person:2", PERSON).take(small))
    await until(lambda: "small" in done, "the small one")
    assert done == ["small"]
    goes_on.set()
    await soon(asyncio.gather(first, second))
    assert done == ["small", who]


async def test_who_gave_way_is_not_remembered_however_long_small_requests_are_under_way() -> None:
    turns = Turns()
    never = asyncio.Event()
    small = asyncio.create_task(turns.turn("person:2", "person:2", PERSON).take(never.wait))
    await some_passes()
    for _ in range(5):
        await soon(stranger(turns).take(lambda: asyncio.sleep(0)))
    assert len(turns._giving_way) <= 2
    small.cancel()


async def test_of_steps_that_give_way_one_is_done_in_each_pass_of_the_loop_once_they_have_taken_enough() -> None:
    charge_tasks(asyncio.get_running_loop())
    turns, passes = Turns(), 0
    seen: list[int] = []

    def count_passes() -> None:
        nonlocal passes
        passes += 1
        if len(seen) < 30:
            asyncio.get_running_loop().call_soon(count_passes)

    async def steps() -> None:
        for _ in range(10):
            await asyncio.sleep(0)
            seen.append(passes)
            stand_still(2 * MOST_OF_A_PASS_S)

    count_passes()
    begun = [stranger(turns, f"address:{n}") for n in range(3)]
    for turn in begun:
        turn.flow.credit_s, turn.gave_way_s = FOR_LONG_S, -FOR_LONG_S
    await soon(asyncio.gather(*(turn.take(steps) for turn in begun)))
    assert len(set(seen)) == 30


async def test_a_persons_small_request_waits_for_no_other_pass() -> None:
    turns = Turns()
    turns.passes.take(2 * MOST_OF_A_PASS_S)
    assert turns.passes.is_full
    assert turns.turn("person:1", "person:1", PERSON).way() is None
    waiting = stranger(turns).way()
    assert waiting is not None
    await soon(waiting)
    assert not turns.passes.is_full


async def test_what_gives_way_does_so_for_a_moment_only() -> None:
    turns = Turns()
    never = asyncio.Event()
    small = asyncio.create_task(turns.turn("person:2", "person:2", PERSON).take(never.wait))
    await some_passes()
    await soon(stranger(turns).take(lambda: asyncio.sleep(0)))
    small.cancel()


async def test_who_has_waited_too_long_is_refused_and_takes_no_place() -> None:
    turns = owing(longest_wait_s=0.05)
    with strangers_owe(turns):
        turn = stranger(turns)
        with pytest.raises(RateLimited):
            await turn.begin()
    assert turn.client.next_at == 0


@dataclass
class Connection:
    waiting: asyncio.Future[None] | None = None


async def test_who_leaves_takes_no_place() -> None:
    turns, connection = owing(), Connection()
    turn = stranger(turns)
    with strangers_owe(turns):
        leaving = asyncio.create_task(turn.begin(connection))
        await until(lambda: connection.waiting is not None, "it waits")
        waiting = cast("asyncio.Future[None]", connection.waiting)
        waiting.set_exception(ClientDisconnect())
        with pytest.raises(ClientDisconnect):
            await leaving
    assert turn.client.next_at == 0
    await soon(stranger(turns).begin())
    await until(lambda: not turn.flow.waiting, "nobody waits")


async def test_what_the_tasks_of_a_request_take_is_charged_until_it_is_over() -> None:
    charged: list[asyncio.Task[Any] | None] = []

    class Noted(Turn):
        def charge(self, seconds: float) -> None:
            assert seconds >= 0
            if not self.is_over:
                charged.append(asyncio.current_task())

    loop = asyncio.get_running_loop()
    turns = Turns()
    turn = Noted(turns, stranger(turns).flow, stranger(turns).client)
    go_on = asyncio.Event()

    async def work() -> list[asyncio.Task[Any]]:
        lasting = asyncio.create_task(go_on.wait())
        ended = asyncio.create_task(asyncio.sleep(0))
        everybodys = asyncio.create_task(asyncio.sleep(0), context=Context())
        await asyncio.gather(ended, everybodys)
        return [lasting, ended]

    charge_tasks(loop)
    try:
        tasks = await turn.take(work, None)
    finally:
        loop.set_task_factory(None)
    assert {*tasks, asyncio.current_task()} == set(charged)
    before = len(charged)
    go_on.set()
    await tasks[0]
    assert len(charged) == before


def test_a_few_addresses_leave_room_for_others_however_much_they_ask() -> None:
    admission = Admission()
    held = []
    for n in range(4):
        with pytest.raises(RateLimited):
            while True:
                held.append(admission.work(Caller(f"address:192.0.2.{n}")).hold())
        with pytest.raises(RateLimited):
            while True:
                held.append(admission.open_socket(Caller(f"address:192.0.2.{n}"), None))
    held += [admission.work(Caller(f"address:198.51.100.{n}")).hold() for n in range(20)]
    held += [admission.open_socket(Caller(f"address:198.51.100.{n}"), None) for n in range(20)]
    for each in held:
        each.release()
    assert not admission.in_hand
    assert not admission.sockets


class Caller:
    session_key = None

    def __init__(self, address_key: str) -> None:
        self.address_key = address_key

    async def person_key(self) -> str | None:
        return None


def admission_of_last() -> Admission:
    app = cast("Starlette", running[-1].config.app)
    return cast("GraphQLEndpoint", cast("Route", app.routes[0]).app).admission


async def test_beside_strangers_who_owe_a_person_is_answered_and_a_stranger_told_to_come_later() -> None:
    async with small_server(Settings(), room=Room(longest_wait_s=0.05, most_owed_s=FOR_LONG_S)) as http:
        await ask(http, MINE)  # the token is known from now on
        with strangers_owe(admission_of_last().turns):
            refused = await ask(http, {})
            assert refused.status_code == 429
            assert refused.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
            assert refused.headers["retry-after"] == "1"
            assert (await ask(http, MINE)).json() == {"data": {"hello": "Hello you"}}
        assert (await ask(http, {})).status_code in {200, 429}


async def ask(http: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
    return await http.post("/graphql", json={"query": "{ hello }"}, headers=headers)


async def test_a_client_that_goes_while_it_waits_has_nothing_in_hand() -> None:
    async with small_server(Settings(), room=Room(most_owed_s=FOR_LONG_S)) as http:
        admission = admission_of_last()
        with strangers_owe(admission.turns):
            asking = asyncio.create_task(ask(http, {}))
            await until(lambda: admission.in_hand, "it waits")
            asking.cancel()
            await until(lambda: not admission.in_hand, "its place is free")


async def test_nothing_is_read_of_a_strangers_socket_before_its_turn() -> None:
    async with small_server(Settings(), room=Room(most_owed_s=FOR_LONG_S)) as http:
        await ask(http, MINE)
        connection, mine = await ready(http), await ready(http, Authorization="Bearer mine")
        answer = asyncio.create_task(connection.recv())
        with strangers_owe(admission_of_last().turns):
            await some_passes()
            for _ in range(1_000):
                await connection.send('{"type": "ping"}')
            await mine.send('{"type": "ping"}')
            assert await soon(mine.recv()) == '{"type":"pong"}'
            assert not answer.done()
        assert await soon(answer) == '{"type":"pong"}'
        await mine.close()
        connection.transport.abort()


async def test_what_a_stranger_had_sent_is_dropped_when_they_go_before_its_turn() -> None:
    async with small_server(Settings(), room=Room(most_owed_s=FOR_LONG_S)) as http:
        admission = admission_of_last()
        connection = await ready(http)
        with strangers_owe(admission.turns):
            for _ in range(1_000):
                await connection.send('{"type": "ping"}')
            connection.transport.abort()
        await until(lambda: not admission.sockets, "it is no socket any more")


async def test_a_peer_that_opens_one_socket_is_next_whoever_opens_many() -> None:
    opened: list[str] = []
    upgrades = Upgrades(asyncio.get_running_loop())
    for n in range(50):
        upgrades.add("192.0.2.1", partial(opened.append, f"many {n}"))
    upgrades.add("192.0.2.2", partial(opened.append, "one"))
    assert opened == ["many 0"]
    await until(lambda: "one" in opened, "its turn")
    assert opened.index("one") <= 2
    await until(lambda: len(opened) == 51, "all")
