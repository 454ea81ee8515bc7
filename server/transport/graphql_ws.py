"""GraphQL over WebSocket (graphql-transport-ws): Strawberry's protocol, with what it leaves unbounded bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from datetime import timedelta
from typing import Any, cast

import strawberry
from graphql import GraphQLError
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter, GraphQL
from strawberry.http.exceptions import NonJsonMessageReceived, NonTextMessageReceived, WebSocketDisconnected
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    ConnectionInitMessage,
    Message,
    SubscribeMessage,
)
from strawberry.types.execution import PreExecutionError

from server.transport.errors import GatehouseSchema, log_unexpected, mask, payload
from server.transport.event_stream import encode_json
from server.transport.graphql_request import RequestError, params_of, parse_json
from server.transport.origins import has_trusted_origin
from settings import Settings

INIT_TIMEOUT_S = 5.0
SLOWEST_READ_S = 10.0
MAX_MESSAGE_CHARS = 256 * 1024
MAX_OPERATIONS = 25
LONGEST_ID = 128
LONGEST_REASON_BYTES = 123
TOO_LARGE, TOO_SLOW = 1009, 4508


class _TooSlow(Exception):
    """The client has not read for SLOWEST_READ_S."""


class GraphQLSocket(GraphQL[Any, None]):
    """The ASGI application for WebSockets at /graphql. Each operation gets a context of its own."""

    def __init__(
        self, schema: strawberry.Schema, make_context: Callable[[HTTPConnection], Any], settings: Settings
    ) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
            connection_init_wait_timeout=timedelta(seconds=INIT_TIMEOUT_S),
            max_subscriptions_per_connection=MAX_OPERATIONS,
        )
        self.make_context = make_context
        self.settings = settings
        self.websocket_adapter_class = _Socket
        self.graphql_transport_ws_handler_class = _Handler

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Any:
        """A context for the handshake; operations make their own from the same request."""
        return self.make_context(request)

    def is_websocket_origin_allowed(self, request: WebSocket, origin: str) -> bool:
        """Whether a page of this origin may connect with our cookie."""
        return has_trusted_origin(request, self.settings)


class _Socket(ASGIWebSocketAdapter):
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

    async def send_json(self, message: Mapping[str, object]) -> None:
        try:
            async with asyncio.timeout(SLOWEST_READ_S):
                await self.ws.send_text(encode_json(message).decode())
        except TimeoutError:
            raise _TooSlow from None
        except (WebSocketDisconnect, RuntimeError):
            # Starlette raises RuntimeError for what is sent after the end.
            raise WebSocketDisconnected from None

    async def close(self, code: int, reason: str) -> None:
        """Close; the other side may have done so before."""
        with suppress(WebSocketDisconnect, RuntimeError):
            await self.ws.close(code, reason.encode()[:LONGEST_REASON_BYTES].decode(errors="ignore"))


class _Handler(BaseGraphQLTransportWSHandler[Any, None]):
    """Refuses messages that are not of the protocol's shape, and logs nothing that a client sent."""

    bearer: str | None = None

    async def handle_message(self, message: Message) -> None:
        problem = _problem_of(message)
        try:
            if problem:
                await self.handle_invalid_message(problem)
            else:
                await super().handle_message(message)
        except _TooSlow:
            await self._drop()

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        # A browser can set no header on a WebSocket, so the payload may carry this one.
        payload = message.get("payload") or {}
        given = payload.get("Authorization", payload.get("authorization"))
        self.bearer = given if isinstance(given, str) and given.isascii() else None
        await super().handle_connection_init({"type": "connection_init", "payload": payload})

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        try:
            params = params_of(message["payload"])
            query = cast("GatehouseSchema", self.schema).documents.text_of(params)
        except RequestError as error:
            refusal = mask([GraphQLError(error.message, extensions={"code": error.code})], self.context.request_id)
            answer: Any = {"id": message["id"], "type": "error", "payload": [each.formatted for each in refusal]}
            await self.send_message(answer)
            return
        await super().handle_subscribe(
            {
                "id": message["id"],
                "type": "subscribe",
                "payload": {"query": query, "variables": params.variables, "operationName": params.operation_name},
            }
        )

    async def run_operation(self, operation: Operation[Any, None]) -> None:
        try:
            await self._run(operation)
        except WebSocketDisconnected:
            return
        except _TooSlow:
            await self._drop()
        except Exception as error:
            await self.handle_task_exception(error)
            await self.websocket.close(1011, "Something went wrong on our side.")

    async def _drop(self) -> None:
        # Sent once the reader reads again; until then the server's pings decide whether it is still there.
        await self.websocket.close(TOO_SLOW, "Too slow: subscribe again to go on")

    async def _run(self, operation: Operation[Any, None]) -> None:
        view = cast("GraphQLSocket", self.view)
        context = view.make_context(_with_bearer(cast("_Socket", self.websocket).ws, self.bearer))
        results = await self.schema.stream(
            operation.query,
            variable_values=operation.variables,
            context_value=context,
            operation_name=operation.operation_name,
        )
        async with aclosing(results):
            async for result in results:
                body = payload(result.data, result.errors)  # type: ignore[union-attr]
                if isinstance(result, PreExecutionError):
                    await operation.send_operation_message(
                        {"id": operation.id, "type": "error", "payload": body["errors"]}
                    )
                    return
                await operation.send_operation_message(
                    {"id": operation.id, "type": "next", "payload": cast("Any", body)}
                )
        await operation.send_operation_message({"id": operation.id, "type": "complete"})

    async def handle_task_exception(self, error: Exception) -> None:
        log_unexpected(error, getattr(self.context, "request_id", ""), "path=- operation=-")


def _with_bearer(websocket: WebSocket, bearer: str | None) -> HTTPConnection:
    if bearer is None or "authorization" in websocket.headers:
        return websocket
    headers = [*websocket.scope["headers"], (b"authorization", bearer.encode())]
    return HTTPConnection({**websocket.scope, "headers": headers})


def _problem_of(message: object) -> str | None:
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
