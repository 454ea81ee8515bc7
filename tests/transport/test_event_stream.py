"""Operations over server-sent events."""

from __future__ import annotations

import json

import httpx
import pytest

from server.transport.admission import Room
from server.transport.patience import PATIENCE, Patience
from settings import Settings
from tests.transport.small import ended_watches, running, small_server
from tests.transport.talking import events_of, socket
from tests.waiting import until

EVENTS = {"accept": "text/event-stream"}
MINE = {"authorization": "Bearer mine"}


async def test_a_subscription_sends_each_result_and_then_its_end(http: httpx.AsyncClient) -> None:
    assert await events_of(http, {"query": "subscription { count(to: 2) }"}) == [
        'event: next\ndata: {"data":{"count":0}}',
        'event: next\ndata: {"data":{"count":1}}',
        "event: complete\ndata: ",
    ]


async def test_a_subscription_streams_whenever_events_are_acceptable(http: httpx.AsyncClient) -> None:
    accept = "application/graphql-response+json, application/json, text/event-stream"
    assert len(await events_of(http, {"query": "subscription { count(to: 1) }"}, accept)) == 2


async def test_a_subscription_that_cannot_stream_is_not_acceptable(http: httpx.AsyncClient) -> None:
    answer = await http.post("/graphql", json={"query": "subscription { count(to: 1) }"})
    assert answer.status_code == 406


async def test_a_query_and_a_broken_document_stream_one_result(http: httpx.AsyncClient) -> None:
    assert await events_of(http, {"query": "{ hello }"}) == [
        'event: next\ndata: {"data":{"hello":"Hello you"}}',
        "event: complete\ndata: ",
    ]
    first, last = await events_of(http, {"query": "{"})
    assert "GRAPHQL_PARSE_FAILED" in first
    assert last == "event: complete\ndata: "


async def test_a_refusal_amid_a_subscription_is_sent_and_ends_it(http: httpx.AsyncClient) -> None:
    _, refusal, end = await events_of(http, {"query": "subscription { refused }"})
    assert '"code":"UNAUTHENTICATED"' in refusal
    assert end == "event: complete\ndata: "


async def test_a_client_that_leaves_ends_its_subscription_at_once() -> None:
    body = {"query": 'subscription { forever(name: "left") }'}
    async with small_server(Settings(), Patience(heartbeat_s=0.05)) as http:
        async with http.stream("POST", "/graphql", json=body, headers=EVENTS) as answer:
            lines = answer.aiter_lines()
            received = [await anext(lines) for _ in range(9)]
        assert 'data: {"data":{"forever":"left"}}' in received
        assert received.count(":") >= 2
        await until(lambda: "left" in ended_watches, "the watch ends")


async def test_a_client_that_reads_nothing_is_dropped() -> None:
    ended_watches.clear()
    async with (
        small_server(Settings(), Patience(stream_read_s=0.2)) as http,
        http.stream("POST", "/graphql", json={"query": "subscription { flood }"}, headers=EVENTS),
    ):
        await until(lambda: "flood" in ended_watches, "the watch ends")


async def status_of(http: httpx.AsyncClient, query: str = "subscription { count(to: 1) }", **headers: str) -> int:
    """What asking for a stream is answered; it is left then."""
    async with http.stream("POST", "/graphql", json={"query": query}, headers=EVENTS | headers) as answer:
        if answer.status_code == 429:
            assert answer.headers["retry-after"] == "1"
            assert json.loads(await answer.aread())["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
        return answer.status_code


async def test_streams_are_counted_with_sockets_by_address_and_by_person() -> None:
    body = {"query": 'subscription { forever(name: "counted") }'}
    async with (
        small_server(Settings(), room=Room(sockets_of_stranger=1, sockets_of_person=2)) as http,
        http.stream("POST", "/graphql", json=body, headers=EVENTS | MINE),
        socket(http, {"Authorization": "Bearer mine"}),
    ):
        assert await status_of(http, **MINE) == 429
        # Others have places of their own, and what is answered at once needs none.
        assert await status_of(http, authorization="Bearer other") == 200
        assert await status_of(http, "{ hello }", **MINE) == 200
        async with http.stream("POST", "/graphql", json=body, headers=EVENTS):
            assert await status_of(http) == 429


@pytest.mark.parametrize("operation", ["count(to: 1)", "refused", 'forever(name: "gone")', "flood"])
@pytest.mark.parametrize("stays", [True, False])
async def test_a_stream_gives_its_place_back_whatever_ends_it(operation: str, stays: bool) -> None:
    body = {"query": f"subscription {{ {operation} }}"}
    # Whoever stays is dropped once they read nothing, unless there is nothing to read: they leave at last.
    patience = Patience(stream_read_s=0.2) if stays else PATIENCE
    async with small_server(Settings(), patience, Room(sockets_of_person=1)) as http:

        async def is_given_back() -> bool:
            return await status_of(http, **MINE) == 200

        for _ in range(3):
            async with http.stream("POST", "/graphql", json=body, headers=EVENTS | MINE) as answer:
                assert answer.status_code == 200
                if stays and "forever" not in operation:
                    await until(is_given_back, "the place is given back while the client stays")
            await until(is_given_back, "the place is given back")


async def test_what_a_stream_takes_is_paid_for_from_its_first_result_on(http: httpx.AsyncClient) -> None:
    shared = 'event: next\ndata: {"data":{"inTurn":true}}'
    assert (await events_of(http, {"query": "subscription { inTurn }"}))[:-1] == [shared, shared]


@pytest.mark.parametrize("name", ["forever", "flood"])
async def test_a_server_that_ends_waits_for_no_stream_whether_it_is_read_or_not(name: str) -> None:
    ended_watches.clear()
    body = {"query": "subscription { " + (f'forever(name: "{name}")' if name == "forever" else name) + " }"}
    async with (
        small_server(Settings(), Patience(stream_read_s=3_600)) as http,
        http.stream("POST", "/graphql", json=body, headers=EVENTS) as answer,
    ):
        chunks = answer.aiter_bytes()  # kept: whoever reads no further has not left
        await anext(chunks)
        server = running[-1]
        server.should_exit = True
        await until(lambda: name in ended_watches and not server.server_state.connections, "the stream ends")
