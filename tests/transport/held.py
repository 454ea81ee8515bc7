"""Requests whose bodies end when they are told to, and the counters of the server that waits for them."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from starlette.applications import Starlette
from starlette.routing import Route

from server.transport.admission import Admission
from server.transport.graphql_http import GraphQLEndpoint
from tests.transport.small import running

BODY = b'{"query": "{ hello }"}'
HEAD = (
    "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    f"content-length: {len(BODY)}\r\n\r\n"
).encode()


def admission_of(app: Starlette) -> Admission:
    """The counters of an application."""
    return next(
        each.app.admission for each in app.routes if isinstance(each, Route) and isinstance(each.app, GraphQLEndpoint)
    )


def admission_of_last() -> Admission:
    """Those of the small server that was started last."""
    return admission_of(cast("Starlette", running[-1].config.app))


def on_their_way(admission: Admission) -> int:
    """How many bodies are."""
    return sum(map(len, (admission.bodies.get("strangers", ()), admission.bodies.get("persons", ()))))


class Held:
    """A body that begins and ends when it is told to."""

    def __init__(self) -> None:
        self.begun, self.go = asyncio.Event(), asyncio.Event()

    async def __aiter__(self) -> Any:
        yield BODY[:10]
        self.begun.set()
        await self.go.wait()
        yield BODY[10:]


class Slow:
    """A connection over which a request's head and the first of its body have gone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def begin(cls, port: int | None, address: str = "127.0.0.1") -> Slow:
        """From an address of this machine's own."""
        slow = cls(*await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0)))
        slow.writer.write(HEAD + BODY[:1])
        return slow

    async def end(self) -> int:
        """Send the rest; the answer's status."""
        self.writer.write(BODY[1:])
        return await self.status()

    async def status(self) -> int:
        """The answer's status."""
        told = await self.reader.readline()
        self.writer.close()
        await self.writer.wait_closed()
        return int(told.split()[1])
