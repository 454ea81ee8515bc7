"""What somebody without a session can have of us: small documents, little at once, and no socket for nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import resource

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from rules.failures import RateLimited
from server.transport import http_protocol, socket_operations
from server.transport.addresses import address_key
from server.transport.admission import Admission, Room
from server.transport.patience import Patience
from settings import Settings
from tests.transport.held import admission_of_last
from tests.transport.owing import Caller
from tests.transport.small import ended_sessions, running, small_server, waiting
from tests.transport.sockets import PROTOCOL, ready
from tests.transport.talking import run
from tests.waiting import soon, until

MADE_UP, MINE = {"authorization": "Bearer made-up"}, {"authorization": "Bearer mine"}


def aliases(count: int) -> str:
    return "{ " + " ".join(f"a{n}: refused" for n in range(count)) + " }"


async def code_of(http: httpx.AsyncClient, query: str, headers: dict[str, str]) -> str:
    answer = await http.post("/graphql", json={"query": query}, headers=headers)
    return str(answer.json()["errors"][0]["extensions"]["code"])


@pytest.mark.parametrize("headers", [{}, MADE_UP], ids=["signed out", "made-up token"])
@pytest.mark.parametrize("query", [aliases(119), "{ hello }" + " " * 16_400, "{ " + "hello " * 11 + "}"])
async def test_large_documents_are_for_those_with_a_session(
    http: httpx.AsyncClient, headers: dict[str, str], query: str
) -> None:
    assert await code_of(http, query, headers) == "GRAPHQL_VALIDATION_FAILED"
    answer = await http.post("/graphql", json={"query": query}, headers=MINE)
    assert "GRAPHQL_VALIDATION_FAILED" not in answer.text
    assert (
        await code_of(http, query, headers) == "GRAPHQL_VALIDATION_FAILED"
    )  # what others had prepared changes nothing


async def test_a_large_page_is_refused_for_the_session_not_for_its_size(http: httpx.AsyncClient) -> None:
    page = "{ refused person { friends(first: 500) { friends(first: 90) { name } } } }"
    assert await code_of(http, page, {}) == await code_of(http, page, MADE_UP) == "UNAUTHENTICATED"


async def test_many_errors_are_few_lines_in_the_log(http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gatehouse.graphql")
    answer = await http.post("/graphql", json={"query": aliases(119)}, headers=MINE)
    assert len(answer.json()["errors"]) == 119
    lines = [record.getMessage() for record in caplog.records if record.name == "gatehouse.graphql"]
    assert len(lines) == 6
    assert lines[-1].endswith("and 114 more errors")


@pytest.mark.parametrize("headers", [{}, MADE_UP, MINE], ids=["signed out", "made-up token", "signed in"])
async def test_what_one_has_in_hand_is_bounded_and_the_rest_is_refused_at_once(
    headers: dict[str, str],
) -> None:
    async with small_server(Settings(), room=Room(of_one=2)) as http:
        await http.post("/graphql", json={"query": "{ hello }"}, headers=headers)  # a token is known from now on
        held = [
            asyncio.create_task(http.post("/graphql", json={"query": "{ waits }"}, headers=headers)) for _ in range(2)
        ]
        await until(lambda: len(waiting) == 2, "both are under way")
        refused = await until_refused(http, headers)
        assert refused.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
        assert refused.headers["retry-after"] == "1"
        assert refused.headers["ratelimit-policy"] == '"at-once";q=100;qu="concurrent-requests"'
        assert refused.headers["ratelimit"] == '"at-once";r=0;t=1'
        other = {"authorization": "Bearer other"} if headers is MINE else MINE
        if headers is MINE:
            assert (await http.post("/graphql", json={"query": "{ hello }"}, headers=other)).status_code == 200
        while waiting:
            waiting.pop().set_result(None)
        assert [(await answer).json() for answer in held] == [{"data": {"waits": "went on"}}] * 2
        assert (await http.post("/graphql", json={"query": "{ hello }"}, headers=headers)).status_code == 200


async def until_refused(http: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
    """The first refusal; until the held requests have arrived there is none."""
    while True:
        answer = await http.post("/graphql", json={"query": "{ hello }"}, headers=headers)
        if answer.status_code == 429:
            return answer
        await asyncio.sleep(0.01)


def test_all_strangers_together_are_bounded_and_leave_room_for_persons() -> None:
    counters = Admission(Room(of_strangers=3))
    works = [counters.work(Caller(f"address:{n}")) for n in range(4)]
    for work in works[:3]:
        work.__enter__()
    with pytest.raises(RateLimited), works[3]:
        pass
    for work in works[:3]:
        work.__exit__(None, None, None)
    assert not counters.in_hand


def test_one_household_has_half_of_what_all_strangers_may_have_however_many_networks_it_calls_from() -> None:
    counters = Admission()

    def caller(n: int) -> Caller:
        return Caller(address_key(f"2001:db8:0:{n:x}::1"))

    works = [counters.work(caller(n)).hold() for n in range(200)]
    sockets = [counters.open_socket(caller(n), None) for n in range(200)]
    with pytest.raises(RateLimited):
        counters.work(caller(255)).hold()
    with pytest.raises(RateLimited):
        counters.open_socket(caller(255), None)
    works.append(counters.work(caller(256)).hold())
    sockets.append(counters.open_socket(caller(256), None))
    for each in (*works, *sockets):
        each.release()
    assert not counters.in_hand
    assert not counters.sockets


def test_sockets_of_all_strangers_leave_half_of_the_files_to_others() -> None:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    counters = Admission(Room(sockets_of_strangers=files))
    sockets = [counters.open_socket(Caller(f"address:{n}"), None) for n in range(files // 2)]
    with pytest.raises(RateLimited):
        counters.open_socket(Caller("address:another"), None)
    sockets.append(counters.open_socket(Caller("address:another"), "person:1"))
    for each in sockets:
        each.release()
    assert not counters.sockets


async def subscribed(http: httpx.AsyncClient) -> ClientConnection:
    """A socket with something to do; another one where the machine stopped between its two steps."""
    watching = {"id": "1", "type": "subscribe", "payload": {"query": 'subscription { forever(name: "x") }'}}
    while True:
        connection = await ready(http)
        with contextlib.suppress(ConnectionClosed):
            await connection.send(json.dumps(watching))
            assert json.loads(await connection.recv())["type"] == "next"
            return connection


async def test_a_strangers_socket_with_nothing_to_do_ends() -> None:
    async with small_server(Settings(), Patience(idle_s=0.2)) as http:
        idle, mine, busy = await ready(http), await ready(http, Authorization="Bearer mine"), await subscribed(http)
        with pytest.raises(ConnectionClosed) as closed:
            await idle.recv()
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 1000
        for connection in (mine, busy):
            await connection.send('{"type": "ping"}')
            assert json.loads(await connection.recv())["type"] == "pong"
            await connection.close()


async def test_a_socket_whose_session_has_ended_is_a_strangers_from_the_next_refusal_on() -> None:
    async with small_server(Settings(), Patience(idle_s=0.2)) as http:
        admission = admission_of_last()
        bearers = {name: f"Bearer {name}" for name in ("ends", "lives")}
        sockets = {name: await ready(http, Authorization=bearer) for name, bearer in bearers.items()}
        ended_sessions.add(bearers["ends"])
        for connection in sockets.values():
            # Refused although the session lives, it goes on as its person's.
            assert (await run(connection, "{ refused }"))[-1] == {"type": "complete"}
        assert admission.sockets["person:Bearer lives"] == admission.sockets["strangers"] == 1
        assert "person:Bearer ends" not in admission.sockets
        with pytest.raises(ConnectionClosed) as closed:
            await soon(sockets["ends"].recv())
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 1000
        await run(sockets["lives"], "{ hello }")
        await sockets["lives"].close()


async def test_sockets_are_counted_by_address_and_by_person() -> None:
    async with small_server(Settings(), room=Room(sockets_of_stranger=2, sockets_of_person=1)) as http:
        mine = await ready(http, Authorization="Bearer mine")
        strangers = [await ready(http, Authorization="Bearer made-up"), await ready(http)]
        with pytest.raises(InvalidStatus) as refused:
            await ready(http)
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["Retry-After"] == "1"
        await strangers.pop().close()
        async with connect(
            f"ws://{http.base_url.host}:{http.base_url.port}/graphql", subprotocols=[PROTOCOL]
        ) as another:
            await another.send(json.dumps({"type": "connection_init", "payload": {"Authorization": "Bearer mine"}}))
            with pytest.raises(ConnectionClosed):
                await another.recv()
        for connection in (mine, *strangers):
            await connection.close()


async def test_a_refused_socket_is_no_error_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with small_server(Settings(), room=Room(sockets_of_stranger=0)) as http:
        for _ in range(3):
            with pytest.raises(InvalidStatus) as refused:
                await ready(http)
            assert refused.value.response.status_code == 429
        await until(lambda: not running[-1].server_state.tasks, "they have ended")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_stranger_who_is_refused_again_and_again_is_let_go() -> None:
    async with small_server(Settings()) as http:
        connection = await ready(http)
        with pytest.raises(ConnectionClosed) as closed:
            for number in range(socket_operations.MOST_REFUSED + 1):
                message = {"id": str(number), "type": "subscribe", "payload": {"query": aliases(119)}}
                await connection.send(json.dumps(message))
                await connection.recv()
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 4429


async def test_what_a_socket_had_queued_is_dropped_when_it_goes() -> None:
    async with small_server(Settings()) as http:
        connection = await ready(http)
        for number in range(400):
            query = f"{{ a{number}: hello }} #{'x' * 3_000}"
            payload = {"id": str(number), "type": "subscribe", "payload": {"query": query}}
            await connection.send(json.dumps(payload))
        connection.transport.abort()
        answer = await http.post("/graphql", json={"query": "{ hello }"})
        assert answer.json() == {"data": {"hello": "Hello you"}}


class Cramped(http_protocol.Protocol):
    """With hardly any files to open."""

    most = 4


async def test_connections_beyond_the_files_are_refused_politely() -> None:
    async with small_server(Settings(), protocol=Cramped) as http:
        host, port = http.base_url.host, http.base_url.port
        assert host and port
        held = [await asyncio.open_connection(host, port) for _ in range(2)]  # half of all may be one peer's
        reader, writer = await asyncio.open_connection(host, port)
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 1" in answer
        writer.close()
        for _, each in held:
            each.close()
            await each.wait_closed()
        while http_protocol.Protocol._open:
            await asyncio.sleep(0.01)
        assert (await http.post("/graphql", json={"query": "{ hello }"})).status_code == 200
