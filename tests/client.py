"""A GraphQL client over HTTP, and a server to call: the real application under uvicorn in the test's event loop."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette

from rules.slow_hash import HashCost
from server.app import Capacity, create_app, schema_of
from server.transport.admission import Room
from server.transport.schema import GatehouseSchema
from server.transport.socket_protocol import SocketProtocol
from settings import Settings
from tests import used
from tests.pools import open_kept
from tests.waiting import LIMIT_S

# Made once: to read the authorities anew for each client takes longer than most tests.
TLS = httpx.create_ssl_context()
# Real hashes, and quick ones: what guessing costs is held by tests/rules/test_secrets.py.
QUICK = HashCost(passes=1, memory_kib=8)
# Nobody here waits for what they have taken of the loop, which on a busy machine is mostly others' time; how it is
# taken in turns is held by tests/transport/test_turns.py.
CAPACITY = Capacity(hash_cost=QUICK, room=Room(most_owed_s=0.0))
LOOK_AGAIN_S = 0.002
SECRET_KEYS = "test:" + base64.b64encode(b"k" * 32).decode()


def http_client(base_url: str = "", **options: Any) -> httpx.AsyncClient:
    """An HTTP client that waits as long as all tests do."""
    hooks: dict[str, list[Any]] = {"request": [_note_request], "response": [_note_response]}
    return httpx.AsyncClient(base_url=base_url, timeout=LIMIT_S, verify=TLS, event_hooks=hooks, **options)


async def _note_request(request: httpx.Request) -> None:
    used.note_tokens(request.headers.get("authorization", ""))


async def _note_response(response: httpx.Response) -> None:
    for cookie in response.headers.get_list("set-cookie"):
        used.note_tokens(cookie)


# The applications that are served now, by their base URLs.
SERVED: dict[str, Starlette] = {}


@dataclass
class GraphQLError(Exception):
    """A top-level error in an answer."""

    errors: list[dict[str, Any]]

    @property
    def code(self) -> str:
        """The first error's extensions.code."""
        return str(self.errors[0]["extensions"]["code"])

    def __str__(self) -> str:
        return str(self.errors)


@dataclass
class Client:
    """One person's client: a bearer token or a cookie jar, one HTTP connection pool.

    A patient one does as the refusal says while the database is busy, as on a machine with other work: it tries again.
    """

    http: httpx.AsyncClient
    token: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    patient: bool = True

    async def raw(self, query: str, **variables: Any) -> dict[str, Any]:
        """Send an operation; the whole answer, data and errors."""
        until = time.monotonic() + LIMIT_S
        while True:
            body = await self._once(query, variables)
            errors = body.get("errors") or [{}]
            is_busy = errors[0].get("extensions", {}).get("code") == "SERVICE_UNAVAILABLE"
            if not (self.patient and is_busy) or time.monotonic() > until:
                return body
            await asyncio.sleep(0.2)

    async def _once(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        headers = {"accept": "application/graphql-response+json, application/json", **self.headers}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        answer = await self.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
        body: dict[str, Any] = answer.json()
        used.note_exchange(variables, body)
        return body

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Send an operation; its data. Raises GraphQLError when there is any error."""
        body = await self.raw(query, **variables)
        if body.get("errors"):
            raise GraphQLError(body["errors"])
        data: dict[str, Any] = body["data"]
        return data

    async def do(self, mutation: str, **variables: Any) -> dict[str, Any]:
        """Send a mutation of one root field; that field's value."""
        data = await self.ask(mutation, **variables)
        (value,) = data.values()
        return dict(value)

    async def refusal(self, query: str, **variables: Any) -> str:
        """Send an operation that must be refused; the refusal's code."""
        try:
            data = await self.ask(query, **variables)
        except GraphQLError as error:
            return error.code
        raise AssertionError(f"Not refused: {data}")


class _Server(uvicorn.Server):
    """uvicorn's, which ends when it is asked to, and not a fifth of a second later."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_asked_to_end = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # the test runner's own handlers stay

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.is_asked_to_end.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        state = self.server_state
        for server in self.servers:
            server.close()
        for connection in list(state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                while state.connections or state.tasks:
                    await asyncio.sleep(LOOK_AGAIN_S)
        for task in state.tasks:
            task.cancel()
        await self.lifespan.shutdown()


@contextlib.asynccontextmanager
async def serving(settings: Settings, capacity: Capacity = CAPACITY) -> AsyncIterator[str]:
    """Serve the application on a free port; its base URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_app(settings, capacity, _schema(settings), open_kept)
    # A connection that is closed just when its client writes again would fail a test on a busy machine.
    config = uvicorn.Config(
        app,
        log_config=None,
        lifespan="on",
        timeout_keep_alive=int(LIMIT_S),
        timeout_graceful_shutdown=2,
        ws=SocketProtocol,
    )
    server = _Server(config)
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            if task.done():
                task.result()
                raise RuntimeError("The server ended before it had started.")
            await asyncio.sleep(LOOK_AGAIN_S)
        SERVED[base_url] = app
        yield base_url
    finally:
        SERVED.pop(base_url, None)
        server.is_asked_to_end.set()
        await task
        listener.close()


# To build the schema takes longer than most tests do; all applications without documents of their own can share it.
_schemas: dict[tuple[bool, bool, bool], GatehouseSchema] = {}


def _schema(settings: Settings) -> GatehouseSchema:
    if settings.trusted_documents:
        return schema_of(settings)
    key = (settings.introspection, settings.production, settings.pages)
    if key not in _schemas:
        _schemas[key] = schema_of(settings)
    return _schemas[key]


def settings_for(database_url: str, **changes: Any) -> Settings:
    """Settings of a test's server."""
    used.note_environment({"SECRET_KEYS": SECRET_KEYS, "DATABASE_URL": database_url})
    return Settings(database_url=database_url, **{"secret_keys": SECRET_KEYS, "introspection": True, **changes})
