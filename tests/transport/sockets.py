"""Sockets of the small schema's server."""

from __future__ import annotations

import json

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

PROTOCOL = Subprotocol("graphql-transport-ws")


async def ready(http: httpx.AsyncClient, **payload: str) -> ClientConnection:
    """A socket that has been acknowledged."""
    connection = await connect(f"ws://{http.base_url.host}:{http.base_url.port}/graphql", subprotocols=[PROTOCOL])
    await connection.send(json.dumps({"type": "connection_init", "payload": payload}))
    assert json.loads(await connection.recv())["type"] == "connection_ack"
    return connection
