"""A proxy before the test's PostgreSQL, that changes what the server says or adds to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

# What a server says before it ends a connection, as a message of PostgreSQL's protocol.
GOODBYE = b"".join(
    kind + word + b"\0" for kind, word in ((b"S", b"FATAL"), (b"V", b"FATAL"), (b"C", b"57P01"), (b"M", b"goodbye"))
)
READY = b"Z\0\0\0\5I"
COMMITTED = b"C\0\0\0\x0bCOMMIT\0"
FATAL = b"E" + (len(GOODBYE) + 5).to_bytes(4) + GOODBYE + b"\0"


@asynccontextmanager
async def rewriting(database_url: str, old: bytes, new: bytes) -> AsyncIterator[str]:
    """Replace `old` by `new`, of the same length, in whatever the server says; the URL of that server."""
    assert len(old) == len(new)
    async with _proxy(database_url, lambda data: data.replace(old, new)) as (url, _):
        yield url


@asynccontextmanager
async def prompting(database_url: str) -> AsyncIterator[tuple[str, Callable[[bytes], None]]]:
    """The URL of a server, and what puts words into its mouth on all connections of now."""
    async with _proxy(database_url, lambda data: data) as (url, clients):

        def say(words: bytes) -> None:
            for client in clients:
                client.write(words)

        yield url, say


@asynccontextmanager
async def ending_the_first(database_url: str) -> AsyncIterator[str]:
    """The URL of a server that ends the first connection in the moment in which it is ready for anything."""
    endings = [FATAL]

    def end(data: bytes) -> bytes:
        return data.replace(READY, READY + endings.pop(), 1) if READY in data and endings else data

    async with _proxy(database_url, end) as (url, _):
        yield url


@asynccontextmanager
async def silent_to_the_first(database_url: str) -> AsyncIterator[str]:
    """The URL of a server that says nothing on the first connection, as one that has no time for it."""
    silences = [b""]
    async with _proxy(database_url, lambda data: silences.pop() if silences else data) as (url, _):
        yield url


@asynccontextmanager
async def losing_commits(database_url: str) -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """The URL of a server, and what lets the way to it end once it has committed next, before that is told."""
    to_lose: list[None] = []

    def carry(data: bytes) -> bytes:
        if to_lose and COMMITTED in data:
            to_lose.pop()
            raise ConnectionAbortedError
        return data

    async with _proxy(database_url, carry) as (url, _):
        yield url, lambda: to_lose.append(None)


@asynccontextmanager
async def _proxy(
    database_url: str, change: Callable[[bytes], bytes]
) -> AsyncIterator[tuple[str, set[asyncio.StreamWriter]]]:
    parts = urlsplit(database_url)
    (folder,) = parse_qs(parts.query)["host"]
    clients: set[asyncio.StreamWriter] = set()
    carrying: set[asyncio.Task[None]] = set()

    async def carry(client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        server, there = await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")
        clients.add(back)
        try:
            ways = [_pipe(client, there, lambda data: data), _pipe(server, back, change)]
            _, others = await asyncio.wait(map(asyncio.ensure_future, ways), return_when=asyncio.FIRST_COMPLETED)
            for other in others:
                other.cancel()
        finally:
            clients.discard(back)
            for writer in (there, back):
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

    def connected(client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        carrying.add(asyncio.ensure_future(carry(client, back)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    yield f"postgresql://{parts.netloc}{host}:{port}{parts.path}", clients
    server.close()
    for writer in list(clients):
        writer.transport.abort()
    await asyncio.gather(*carrying, return_exceptions=True)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, change: Callable[[bytes], bytes]) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(change(data))
