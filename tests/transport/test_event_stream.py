"""Operations over server-sent events."""

from __future__ import annotations

import httpx

from server.transport.patience import Patience
from settings import Settings
from tests.transport.small import ended_watches, small_server
from tests.transport.talking import events_of
from tests.waiting import until

EVENTS = {"accept": "text/event-stream"}


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
