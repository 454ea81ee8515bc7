"""The head of a request: bounded in time and size, and refused with the headers of every other answer."""

from __future__ import annotations

import asyncio

import httpx

from server.transport.headers import SECURITY_HEADERS
from server.transport.http_protocol import Protocol
from settings import Settings
from tests.transport.small import small_server
from tests.waiting import soon

START = b"GET /graphql HTTP/1.1\r\nhost: localhost\r\n"


async def answer_to(http: httpx.AsyncClient, *pieces: bytes) -> str:
    """What comes back until the server closes, the pieces sent one after the other."""
    reader, writer = await asyncio.open_connection(http.base_url.host, http.base_url.port)
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(0.05)
    answer = await soon(reader.read())
    writer.close()
    return answer.decode()


async def test_a_head_that_grows_too_large_is_refused(http: httpx.AsyncClient) -> None:
    half = b"x-padding: " + b"x" * (65536 // 2) + b"\r\n"
    within = await answer_to(http, START, half, b"connection: close\r\n\r\n")
    assert "Send a query." in within
    for pieces in ((half, half), (half.strip(), half.strip()), (half, half + b"\r\n"), (half * 3 + b"\r\n",)):
        assert (await answer_to(http, START, *pieces)).startswith("HTTP/1.1 431 ")


async def test_a_body_beside_a_head_does_not_count_as_one(http: httpx.AsyncClient) -> None:
    body = b'{"query": "{ hello }"}'.ljust(100_000)
    head = START.replace(b"GET", b"POST") + b"content-type: application/json\r\nconnection: close\r\n"
    assert "HTTP/1.1 200 " in await answer_to(http, head + b"content-length: 100000\r\n\r\n" + body)


async def test_many_small_requests_in_one_piece_are_no_large_head(http: httpx.AsyncClient) -> None:
    small = START + b"\r\n"
    answers = await answer_to(http, small * 3_000 + small[:-2], b"connection: close\r\n\r\n")
    assert answers.count("HTTP/1.1 400 ") == 3_001


class Hasty(Protocol):
    """Gives a head up soon."""

    head_s = 0.1


async def test_a_head_that_does_not_arrive_is_given_up() -> None:
    async with small_server(Settings(), protocol=Hasty) as http:
        assert await answer_to(http, START) == ""


async def test_what_is_not_http_is_refused_with_the_security_headers(http: httpx.AsyncClient) -> None:
    answer = await answer_to(http, b"nonsense\r\n\r\n")
    assert answer.startswith("HTTP/1.1 400 ")
    for name, value in SECURITY_HEADERS.items():
        assert f"{name}: {value}\r\n" in answer
