"""Watching as a page does: one subscription over a WebSocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.client import SERVED, Client
from tests.people import World
from tests.waiting import soon, until


class Watch:
    """One subscription over a WebSocket of its own."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def subscribe(self, world: World, subscription: str) -> None:
        """Ask for it, which after a refusal may be another time."""
        variables = {"account": str(world.account_id)} if "$account" in subscription else {}
        payload = {"query": subscription, "variables": variables}
        await self.socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))

    async def next(self) -> dict[str, Any]:
        """The next value of its one field. Raises RuntimeError with the code of an error."""
        message = json.loads(await soon(self.socket.recv()))
        if message["type"] == "error":
            raise RuntimeError(message["payload"][0]["extensions"]["code"])
        payload = message["payload"]
        if payload.get("errors"):
            raise RuntimeError(payload["errors"][0]["extensions"]["code"])
        (value,) = payload["data"].values()
        return dict(value)

    async def is_silent(self, for_s: float = 1.3) -> bool:
        """Whether nothing comes for a while."""
        try:
            await asyncio.wait_for(self.socket.recv(), for_s)
        except TimeoutError:
            return True
        return False


@asynccontextmanager
async def watching(
    world: World,
    client: Client,
    subscription: str,
    *,
    in_first_message: bool = False,
    once_open: Callable[[], Awaitable[object]] | None = None,
) -> AsyncIterator[Watch]:
    """Subscribe over graphql-transport-ws, with the token in a header or in the first message, or by cookie.

    `once_open` is done when the socket is open, before the subscription is asked for.
    """
    url = world.base_url.replace("http", "ws") + "/graphql"
    headers = {"authorization": f"Bearer {client.token}"} if client.token else _cookies(client)
    protocol = Subprotocol("graphql-transport-ws")
    told, sent = (headers, {}) if in_first_message else ({}, headers)
    async with connect(url, subprotocols=[protocol], additional_headers=sent) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": told}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        if once_open is not None:
            await once_open()
        watch = Watch(socket)
        await watch.subscribe(world, subscription)
        yield watch


def _cookies(client: Client) -> dict[str, str]:
    held = "; ".join(f"{each.name}={each.value}" for each in client.http.cookies.jar)
    return {"cookie": held} if held else {}


async def until_followed(world: World) -> None:
    """Wait until the hub has looked since somebody, the first to watch, watches the members.

    They are told of what changes from then on.
    """
    hub = SERVED[world.base_url].state.service.hub
    await until(lambda: any(watcher.wants_members and watcher.is_stale for watcher in hub._watchers), "the hub follows")
