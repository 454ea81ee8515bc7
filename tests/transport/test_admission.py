"""Over HTTP and on sockets, too, nobody is let in before their turn, and nobody takes all the room there is."""

from __future__ import annotations

import asyncio
from functools import partial

import httpx
import pytest

from rules.failures import RateLimited
from server.transport.admission import Admission, Room
from server.transport.http_protocol import Upgrades
from settings import Settings
from tests.transport.held import admission_of_last
from tests.transport.owing import FOR_LONG_S, Caller, some_passes, strangers_owe
from tests.transport.small import small_server
from tests.transport.sockets import ready
from tests.waiting import soon, until

MINE = {"authorization": "Bearer mine"}


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
