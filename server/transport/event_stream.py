"""Server-sent events: the results of one operation, as graphql-sse's distinct connections send them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
from starlette.types import Receive, Scope, Send

from server.transport.admission import CONNECTION
from server.transport.charging import Turn
from server.transport.patience import PATIENCE, Patience

if TYPE_CHECKING:
    from server.transport.http_protocol import Protocol

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


def encode_json(value: object) -> bytes:
    """JSON as it goes over the wire."""
    try:
        return orjson.dumps(value)
    except TypeError:  # halves of surrogate pairs, which only Python's own writes, escaped
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


class EventStream:
    """An ASGI answer: every payload as a `next` event, then `complete`.

    The stream is pulled only as fast as the client reads, and ended as soon as the client goes or reads nothing for
    too long.
    """

    def __init__(
        self,
        payloads: AsyncGenerator[dict[str, Any], None],
        headers: Iterable[tuple[str, str]] = (),
        patience: Patience = PATIENCE,
    ) -> None:
        self.payloads = payloads
        self.patience = patience
        self.headers = [*HEADERS, *((name.lower().encode(), value.encode("latin-1")) for name, value in headers)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the payloads or the client end."""
        await send({"type": "http.response.start", "status": 200, "headers": self.headers})
        sending = asyncio.create_task(self._send_all(send))
        leaving = asyncio.create_task(_client_leaves(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            await self.payloads.aclose()

    async def _send_all(self, send: Send) -> None:
        await self._send(send, b":\n\n")
        upcoming: asyncio.Task[dict[str, Any]] | None = None
        try:
            while True:
                upcoming = upcoming or asyncio.create_task(anext(self.payloads))
                done, _ = await asyncio.wait({upcoming}, timeout=self.patience.heartbeat_s)
                if not done:
                    await self._send(send, b":\n\n")
                    continue
                try:
                    result = upcoming.result()
                except StopAsyncIteration:
                    break
                upcoming = None
                await self._send(send, b"event: next\ndata: " + encode_json(result) + b"\n\n")
        finally:
            if upcoming and not upcoming.done():
                upcoming.cancel()
                with suppress(asyncio.CancelledError, StopAsyncIteration):
                    await upcoming
        await self._send(send, b"event: complete\ndata: \n\n")
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send, body: bytes) -> None:
        async with asyncio.timeout(self.patience.stream_read_s):
            await send({"type": "http.response.body", "body": body, "more_body": True})


class Lasting:
    """A stream that lasts as a socket does: it has a place until it ends, and what it takes of the loop is paid for."""

    def __init__(self, stream: EventStream, release: Callable[[], None], turn: Turn) -> None:
        self.stream = stream
        self.release = release
        self.turn = turn

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and give the place back whatever ends it."""
        connection: Protocol | None = scope.get(CONNECTION)
        try:
            with connection.lasting() if connection else nullcontext():
                await self.turn.last(partial(self.stream, scope, receive, send))
        finally:
            self.release()


async def _client_leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
