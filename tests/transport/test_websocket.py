"""Operations over graphql-transport-ws, and what is no such message."""

from __future__ import annotations

import logging

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from server.transport import graphql_ws, socket_messages, socket_operations
from server.transport.patience import Patience
from settings import Settings
from tests.transport.small import ended_watches, small_server, until_nothing_is_read
from tests.transport.talking import PROTOCOL, closed_with, receive, run, send, socket
from tests.waiting import until


async def test_a_subscription_sends_each_result_and_then_its_end(http: httpx.AsyncClient) -> None:
    async with socket(http, {}) as connection:
        assert await run(connection, "subscription { count(to: 2) }") == [
            {"type": "next", "payload": {"data": {"count": 0}}},
            {"type": "next", "payload": {"data": {"count": 1}}},
            {"type": "complete"},
        ]
        assert (await run(connection, "{ hello }", "2"))[0]["payload"] == {"data": {"hello": "Hello you"}}


async def test_who_asks_what_an_operation_costs_is_told_with_each_result(http: httpx.AsyncClient) -> None:
    asking = {"query": "{ hello again: hello }", "extensions": {"cost": True}}
    watching = {"query": "subscription { count(to: 2) }", "extensions": {"cost": True}}
    async with socket(http, init={}) as connection:
        for payload, told in ((asking, [{"cost": 2}]), (watching, [{"cost": 1}] * 2), ({"query": "{ hello }"}, [None])):
            await send(connection, {"id": "1", "type": "subscribe", "payload": payload})
            results = [(await receive(connection))["payload"] for _ in told]
            assert [result.get("extensions") for result in results] == told
            assert (await receive(connection))["type"] == "complete"
        await send(connection, {"id": "1", "type": "subscribe", "payload": {**asking, "query": "{ nonsense }"}})
        assert (await receive(connection))["type"] == "error"


async def test_a_refusal_amid_a_subscription_is_sent_and_ends_it(http: httpx.AsyncClient) -> None:
    async with socket(http, {}) as connection:
        _, refusal, end = await run(connection, "subscription { refused }")
    assert refusal["payload"]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert end == {"type": "complete"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{" * 5_000, "GRAPHQL_PARSE_FAILED"),
        ("query A { hello } query B { hello }", "BAD_USER_INPUT"),
        ("subscription($n: Int!) { count(to: $n) }", "BAD_USER_INPUT"),
        (7, "BAD_USER_INPUT"),
        (None, "BAD_USER_INPUT"),
    ],
)
async def test_an_operation_that_cannot_run_ends_in_an_error_and_the_connection_goes_on(
    http: httpx.AsyncClient, query: object, code: str
) -> None:
    async with socket(http, {}) as connection:
        [error] = await run(connection, query)
        assert error["type"] == "error"
        assert error["payload"][0]["extensions"]["code"] == code
        assert (await run(connection, "{ hello }"))[-1] == {"type": "complete"}


@pytest.mark.parametrize(
    "message",
    [
        "{",
        "7",
        "[]",
        "[" * 5_000,
        '{"type": ' + "9" * 5_000 + "}",
        b"{}",
        {},
        {"type": 7},
        {"type": "other"},
        {"type": "complete"},
        {"type": "complete", "id": ["x"]},
        {"type": "subscribe", "id": 1, "payload": {"query": "{ hello }"}},
        {"type": "subscribe", "id": "x" * 200, "payload": {"query": "{ hello }"}},
        {"type": "subscribe", "id": "1"},
        {"type": "subscribe", "id": "1", "payload": []},
        {"type": "ping", "payload": 7},
    ],
)
async def test_a_message_that_is_none_of_the_protocols_closes_the_connection(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, message: object
) -> None:
    async with socket(http, {}) as connection:
        await send(connection, message)
        assert await closed_with(connection) == 4400
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_message_larger_than_the_limit_closes_the_connection(http: httpx.AsyncClient) -> None:
    async with socket(http, {}) as connection:
        await send(connection, " " * (socket_messages.MAX_MESSAGE_CHARS + 1))
        assert await closed_with(connection) == 1009


async def test_a_connection_that_says_nothing_is_closed() -> None:
    async with small_server(Settings(), Patience(init_s=0.05)) as http, socket(http) as connection:
        assert await closed_with(connection) == 4408


async def test_nothing_runs_before_the_connection_is_initialised(http: httpx.AsyncClient) -> None:
    async with socket(http) as connection:
        await send(connection, {"id": "1", "type": "subscribe", "payload": {"query": "{ hello }"}})
        assert await closed_with(connection) == 4401


async def test_an_id_in_use_and_a_second_initialisation_close_the_connection(http: httpx.AsyncClient) -> None:
    watch = {"id": "é" * 100, "type": "subscribe", "payload": {"query": 'subscription { forever(name: "x") }'}}
    async with socket(http, {}) as connection:
        await send(connection, watch)
        await receive(connection)
        await send(connection, watch)
        assert await closed_with(connection) == 4409
    async with socket(http, {}) as connection:
        await send(connection, {"type": "connection_init"})
        assert await closed_with(connection) == 4429


async def test_a_page_of_another_origin_cannot_connect(http: httpx.AsyncClient) -> None:
    async with socket(http, {}, origin=Origin("https://app.example")) as connection:
        assert await run(connection, "{ hello }")
    with pytest.raises(InvalidStatus) as refused:
        async with socket(http, {}, origin=Origin("https://evil.example")):
            pass
    assert refused.value.response.status_code == 403


async def test_the_older_protocol_is_not_spoken(http: httpx.AsyncClient) -> None:
    url = str(http.base_url).replace("http", "ws") + "/graphql"
    async with connect(url, subprotocols=[Subprotocol("graphql-ws")]) as connection:
        assert await closed_with(connection) == 4406


async def test_the_token_may_come_in_the_initialisation(http: httpx.AsyncClient) -> None:
    async with socket(http, {"Authorization": "Bearer gh_s_x"}) as connection:
        [result, _] = await run(connection, "{ authorization }")
    assert result["payload"] == {"data": {"authorization": "Bearer gh_s_x"}}


@pytest.mark.parametrize("ending", ["complete", "close"])
async def test_a_watch_ends_with_its_reader(http: httpx.AsyncClient, ending: str) -> None:
    query = f'subscription {{ forever(name: "{ending}") }}'
    async with socket(http, {}) as connection:
        await send(connection, {"id": "1", "type": "subscribe", "payload": {"query": query}})
        await receive(connection)
        if ending == "complete":
            await send(connection, {"id": "1", "type": "complete"})
            await until(lambda: ending in ended_watches, "the watch ends")
    await until(lambda: ending in ended_watches, "the watch ends")


async def test_a_connection_carries_25_operations_and_no_more(http: httpx.AsyncClient) -> None:
    async with socket(http, {}) as connection:
        for number in range(graphql_ws.MAX_OPERATIONS + 1):
            query = 'subscription { forever(name: "many") }'
            await send(connection, {"id": str(number), "type": "subscribe", "payload": {"query": query}})
        told = [await receive(connection) for _ in range(graphql_ws.MAX_OPERATIONS + 1)]
    assert sorted(each["type"] for each in told) == ["error", *["next"] * graphql_ws.MAX_OPERATIONS]
    ((refusal,),) = [each["payload"] for each in told if each["type"] == "error"]
    assert refusal["extensions"]["code"] == "RATE_LIMITED"
    assert refusal["extensions"]["requestId"]


async def test_whoever_asks_for_more_operations_again_and_again_is_let_go() -> None:
    async with small_server(Settings()) as http, socket(http, {}) as connection:
        with pytest.raises(ConnectionClosed):
            for number in range(graphql_ws.MAX_OPERATIONS + socket_operations.MOST_REFUSED + 1):
                query = 'subscription { forever(name: "many") }'
                await send(connection, {"id": str(number), "type": "subscribe", "payload": {"query": query}})
                await receive(connection)
        assert (connection.close_code, number) == (4429, graphql_ws.MAX_OPERATIONS + socket_operations.MOST_REFUSED)


async def test_a_reader_too_slow_is_dropped_and_told_so_when_it_reads_again() -> None:
    ended_watches.clear()
    async with (
        small_server(Settings(), Patience(socket_read_s=0.3)) as http,
        socket(http, {}, max_queue=1, compression=None) as connection,
    ):
        await send(connection, {"id": "1", "type": "subscribe", "payload": {"query": "subscription { flood }"}})
        await until(lambda: "flood" in ended_watches, "the watch ends")
        with pytest.raises(ConnectionClosed):
            while True:
                await connection.recv()
        assert connection.close_code == socket_messages.TOO_SLOW


async def test_who_sends_and_reads_nothing_is_dropped_without_a_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "gatehouse.sockets")
    ended_watches.clear()
    async with (
        small_server(Settings(), Patience(socket_read_s=2)) as http,
        socket(http, {}, max_queue=1, compression=None) as connection,
    ):
        await send(connection, {"id": "1", "type": "subscribe", "payload": {"query": "subscription { flood }"}})
        await until_nothing_is_read()
        await send(connection, {"id": "1", "type": "complete"})
        await until(lambda: "flood" in ended_watches, "the watch ends")
        # The pong waits behind what is not read.
        await send(connection, {"type": "ping"})
        await until(lambda: "too slow" in caplog.text, "it is dropped")
        with pytest.raises(ConnectionClosed):
            while True:
                await connection.recv()
        assert connection.close_code == socket_messages.TOO_SLOW
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_the_server_ends_although_a_client_is_just_closing() -> None:
    ended_watches.clear()
    async with small_server(Settings(), Patience(socket_read_s=600)) as http:
        url = f"ws://{http.base_url.host}:{http.base_url.port}/graphql"
        connection = await connect(url, subprotocols=[PROTOCOL], max_queue=1, compression=None)
        await send(connection, {"type": "connection_init"})
        await send(connection, {"id": "1", "type": "subscribe", "payload": {"query": "subscription { flood }"}})
        await until_nothing_is_read()
        connection.protocol.send_close()
        connection.transport.write(b"".join(connection.protocol.data_to_send()))
        # What is not read yet keeps the connection from being lost.
        await until(lambda: "flood" in ended_watches, "the server has heard that the client closes")
    connection.transport.abort()
