"""A small schema behind the real endpoint, so that the transport is tested by itself, and a server for it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from rules.failures import Unauthenticated
from server.transport import charging
from server.transport.admission import ROOM, Room
from server.transport.graphql_http import GraphQLEndpoint
from server.transport.headers import middleware
from server.transport.http_protocol import Protocol
from server.transport.patience import PATIENCE, Patience
from server.transport.schema import GatehouseSchema
from server.transport.socket_protocol import SocketProtocol
from settings import Settings
from tests.client import http_client

ended_watches: list[str] = []
ended_sessions: set[str] = set()
running: list[uvicorn.Server] = []
# Queries that go on when they are told to.
waiting: list[asyncio.Future[None]] = []


@dataclass
class Context:
    """What the endpoint asks of a context, and the bearer token for the test to see."""

    request_id: str
    authorization: str | None
    address_key: str = "address:127.0.0.1"
    device_key: str | None = None
    response_headers: list[tuple[str, str]] = field(default_factory=list)
    watches_from: object = None

    @property
    def session_key(self) -> bytes | None:
        """Every token that is sent."""
        return self.authorization.encode() if self.authorization else None

    async def person_key(self) -> str | None:
        """Whoever sends a token but a made-up one, or one whose session has ended."""
        is_live = self.authorization not in {"Bearer made-up", *ended_sessions}
        return f"person:{self.authorization}" if is_live else None

    async def feed_now(self) -> object:
        """Nowhere: nothing here follows events."""


Info = strawberry.Info[Context, None]


@strawberry.input
class Secret:
    code: str
    times: int = 1


@strawberry.type
class Person:
    name: str

    @strawberry.field
    def friends(self, first: int | None = None) -> list[Person]:
        return [Person(name="Friend")]

    @strawberry.field
    def friend(self) -> Person:
        return Person(name="Friend")


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "you", times: int = 1) -> str:
        return f"Hello {name}" * times

    @strawberry.field
    async def waits(self) -> str:
        waiting.append(asyncio.get_running_loop().create_future())
        await waiting[-1]
        return "went on"

    @strawberry.field
    def person(self) -> Person:
        return Person(name="Olive")

    @strawberry.field
    def authorization(self, info: Info) -> str | None:
        return info.context.authorization

    @strawberry.field
    def refused(self) -> str | None:
        raise Unauthenticated

    @strawberry.field
    def broken(self) -> str | None:
        code = "123456"
        raise ValueError(f"the code {code} broke it")


@strawberry.type
class Mutation:
    @strawberry.mutation
    def use(self, info: Info, secret: Secret) -> str | None:
        info.context.response_headers.append(("set-cookie", "seen=1"))
        return "used"


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, to: int) -> AsyncGenerator[int, None]:
        for number in range(to):
            yield number

    @strawberry.subscription
    async def forever(self, name: str) -> AsyncGenerator[str, None]:
        try:
            yield name
            await asyncio.Event().wait()
        finally:
            ended_watches.append(name)

    @strawberry.subscription
    async def flood(self) -> AsyncGenerator[str, None]:
        try:
            while True:
                yield "x" * 100_000
        finally:
            ended_watches.append("flood")

    @strawberry.subscription
    async def in_turn(self) -> AsyncGenerator[bool, None]:
        for _ in range(2):
            yield charging.sharer() is not None
            await asyncio.sleep(0)

    @strawberry.subscription
    async def refused(self) -> AsyncGenerator[int, None]:
        yield 1
        raise Unauthenticated


def small_app(settings: Settings, patience: Patience = PATIENCE, room: Room = ROOM) -> Starlette:
    """The small schema as an application, exactly as the real one is put together."""

    def make_context(connection: HTTPConnection) -> Context:
        address, device = connection.scope["client"][0], connection.cookies.get("device")
        bearer = connection.headers.get("authorization")
        return Context(connection.scope["state"]["request_id"], bearer, f"address:{address}", device)

    schema = GatehouseSchema(query=Query, mutation=Mutation, subscription=Subscription, settings=settings)
    endpoint = GraphQLEndpoint(schema, make_context, settings=settings, patience=patience, room=room)
    return Starlette(routes=endpoint.routes, middleware=middleware(settings, endpoint))


@asynccontextmanager
async def small_server(
    settings: Settings,
    patience: Patience = PATIENCE,
    room: Room = ROOM,
    protocol: type[Protocol] = Protocol,
) -> AsyncIterator[httpx.AsyncClient]:
    """The small application under uvicorn on a free port, and a client for it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(
            uvicorn.Config(
                small_app(settings, patience, room), log_config=None, lifespan="off", http=protocol, ws=SocketProtocol
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        running.append(server)
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            async with http_client(address) as client:
                yield client
        finally:
            server.should_exit = server.force_exit = True
            running.remove(server)
            await serving


async def until_nothing_is_read() -> None:
    """Wait until a WebSocket takes nothing more, the kernel's buffers being full: what is unsent stays the same."""
    alike, before = 0, 0
    while alike < 20:
        await asyncio.sleep(0.01)
        sockets = [each for server in running for each in server.server_state.connections]
        unsent = sum(
            each.transport.get_write_buffer_size()
            for each in sockets
            if isinstance(each, WebSocketsSansIOProtocol) and not each.writable.is_set()
        )
        alike, before = (alike + 1 if unsent and unsent == before else 0), unsent
