"""The messages of a GraphQL socket: what may be read, and how much; what is written, and how long it may take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol, cast

from graphql import GraphQLError
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocketDisconnect, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import NonJsonMessageReceived, NonTextMessageReceived, WebSocketDisconnected

from server.transport.admission import Admission
from server.transport.event_stream import encode_json
from server.transport.graphql_request import RequestError, parse_json
from server.transport.patience import Patience

MAX_MESSAGE_CHARS = 256 * 1024
LONGEST_ID = 128
LONGEST_REASON_BYTES = 123
TOO_LARGE, TOO_SLOW, TOO_MANY = 1009, 4508, 4429


class TooSlow(Exception):
    """The client has not read for too long."""


class View(Protocol):
    """What a socket belongs to."""

    make_context: Callable[[HTTPConnection], Any]
    admission: Admission
    patience: Patience


class Messages(ASGIWebSocketAdapter):
    """Reads and writes messages; ends the connection for one that is too large, and for a reader too slow."""

    async def iter_json(self, *, ignore_parsing_errors: bool = False) -> AsyncGenerator[object, None]:
        with suppress(WebSocketDisconnect):
            while self.ws.application_state != WebSocketState.DISCONNECTED:
                try:
                    text = await self.ws.receive_text()
                except KeyError:
                    raise NonTextMessageReceived from None
                if len(text) > MAX_MESSAGE_CHARS:
                    await self.close(TOO_LARGE, "Message too large")
                    return
                try:
                    message = parse_json(text)
                except RequestError:
                    raise NonJsonMessageReceived from None
                yield message
                # What waits here already would be read on without anybody else's turn.
                await asyncio.sleep(0)

    async def send_json(self, message: Mapping[str, object]) -> None:
        try:
            async with asyncio.timeout(cast("View", self.view).patience.socket_read_s):
                await self.ws.send_text(encode_json(message).decode())
        except TimeoutError:
            raise TooSlow from None
        except (WebSocketDisconnect, RuntimeError):
            # Starlette raises RuntimeError for what is sent after the end.
            raise WebSocketDisconnected from None

    async def close(self, code: int, reason: str) -> None:
        """Close; the other side may have done so before."""
        with suppress(WebSocketDisconnect, RuntimeError):
            await self.ws.close(code, reason.encode()[:LONGEST_REASON_BYTES].decode(errors="ignore"))


def error_message(identity: str, errors: Sequence[GraphQLError]) -> Any:
    return {"id": identity, "type": "error", "payload": [error.formatted for error in errors]}


def problem_of(message: object) -> str | None:
    """What is wrong with a message's shape, in a sentence for the close frame."""
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return "A message must be an object with a type"
    kind, content = message["type"], message.get("payload")
    if kind not in {"connection_init", "ping", "pong", "subscribe", "complete"}:
        return "Unknown message type"
    if kind in {"subscribe", "complete"}:
        identity = message.get("id")
        if not isinstance(identity, str) or not 0 < len(identity) <= LONGEST_ID:
            return "A message's id must be a string"
    if not isinstance(content, dict) and (content is not None or kind == "subscribe"):
        return "A message's payload must be an object"
    return None
