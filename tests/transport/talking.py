"""Operations over server-sent events and graphql-transport-ws, as a client sends them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.waiting import soon


async def events_of(http: httpx.AsyncClient, body: dict[str, Any], accept: str = "text/event-stream") -> list[str]:
    answer = await http.post("/graphql", json=body, headers={"accept": accept})
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    return [event for event in answer.text.split("\n\n") if event and event != ":"]


PROTOCOL = Subprotocol("graphql-transport-ws")


@asynccontextmanager
async def socket(
    http: httpx.AsyncClient, init: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[ClientConnection]:
    url = str(http.base_url).replace("http", "ws") + "/graphql"
    async with connect(url, subprotocols=[PROTOCOL], max_size=None, **options) as connection:
        if init is not None:
            await send(connection, {"type": "connection_init", "payload": init})
            assert (await receive(connection))["type"] == "connection_ack"
        yield connection


async def send(connection: ClientConnection, message: object) -> None:
    await connection.send(message if isinstance(message, str | bytes) else json.dumps(message))


async def receive(connection: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await soon(connection.recv()))
    return message


async def run(connection: ClientConnection, query: object, identity: str = "1") -> list[dict[str, Any]]:
    """Run an operation to its end; the messages without their ids."""
    await send(connection, {"id": identity, "type": "subscribe", "payload": {"query": query}})
    messages: list[dict[str, Any]] = []
    while not messages or messages[-1]["type"] == "next":
        messages.append(await receive(connection))
        assert messages[-1].pop("id") == identity
    return messages


async def closed_with(connection: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed):
        await soon(connection.recv())
    assert connection.close_code is not None
    return connection.close_code
