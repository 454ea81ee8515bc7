"""Answers that nobody reads: their clients are let go, and whoever reads, however slowly, is not."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import httpx
import pytest

from server.transport.http_protocol import Protocol
from server.transport.unread import Unread
from settings import Settings
from tests.transport.small import running, small_server
from tests.waiting import LIMIT_S, soon, until

LARGE = {"query": "{ hello(times: 2000000) }"}
REQUEST = (
    b"POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 38\r\n%s\r\n"
    b'{"query": "{ hello(times: 2000000) }"}'
)


class Impatient(Protocol):
    """Looks again and again."""

    read_s = 0.05


class Patient(Protocol):
    """Looks when it is told to."""

    read_s = LIMIT_S


def connection() -> Protocol:
    """The one that is open."""
    (found,) = running[-1].server_state.connections
    return cast("Protocol", found)


@asynccontextmanager
async def asked(http: httpx.AsyncClient, more: bytes = b"") -> AsyncIterator[socket.socket]:
    """A client with little room for an answer, that has asked for a large one, of which some is to be read."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, (http.base_url.host, http.base_url.port))
        await loop.sock_sendall(client, REQUEST % more)
        yield client


@pytest.mark.parametrize("more", [b"", b"connection: close\r\n"], ids=["kept", "closed"])
async def test_a_client_that_reads_nothing_of_a_large_answer_is_let_go(more: bytes) -> None:
    async with small_server(Settings(), protocol=Impatient) as http, asked(http, more):
        await until(lambda: running[-1].server_state.total_requests, "it is answered")
        await until(lambda: not running[-1].server_state.connections, "it is let go")


async def test_a_client_that_reads_slowly_is_waited_for_as_long_as_it_reads() -> None:
    async with small_server(Settings(), protocol=Patient) as http, asked(http) as client:
        await until(lambda: running[-1].server_state.total_requests, "it is answered")
        transport, unread = connection().transport, connection().unread
        assert unread.is_waiting
        for _ in range(3):
            before = transport.get_write_buffer_size()

            async def is_less(before: int = before) -> bool:
                await soon(asyncio.get_running_loop().sock_recv(client, 4096))
                return transport.get_write_buffer_size() < before

            while not await is_less():
                pass
            unread.look()
            assert not transport.is_closing()
            assert unread.is_waiting

        def is_let_go() -> bool:
            unread.look()
            return transport.is_closing()

        await until(is_let_go, "it reads no more, and is let go")


async def test_a_client_that_reads_at_once_is_looked_after_no_more_and_may_ask_again() -> None:
    async with small_server(Settings(), protocol=Patient) as http:
        for _ in range(2):
            answer = await http.post("/graphql", json=LARGE)
            assert len(answer.content) == len('{"data":{"hello":""}}') + 2_000_000 * len("Hello you")
            await until(lambda: not connection().unread.is_waiting, "all is read")
        assert not connection().transport.is_closing()


class Written(asyncio.Transport):
    """What is written and not read."""

    def __init__(self, left: int) -> None:
        super().__init__({"socket": socket.socket()})
        self.left, self.was_aborted = left, False

    def get_write_buffer_size(self) -> int:
        return self.left

    def abort(self) -> None:
        self.was_aborted = True


async def test_a_small_rest_that_is_not_read_is_not_kept_either() -> None:
    transport = Written(100)
    unread = Unread(transport, asyncio.get_running_loop(), 0.0)
    unread.expect()
    await until(lambda: transport.was_aborted, "it is let go")
    assert not unread.is_waiting
    transport.get_extra_info("socket").close()


async def test_what_becomes_less_from_look_to_look_is_kept_until_nothing_is_left() -> None:
    transport = Written(100)
    unread = Unread(transport, asyncio.get_running_loop(), LIMIT_S)
    unread.expect()
    for left in (99, 50, 0):
        transport.left = left
        unread.look()
        assert unread.is_waiting == bool(left)
    assert not transport.was_aborted
    transport.get_extra_info("socket").close()
