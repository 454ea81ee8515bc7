"""GraphQL over WebSocket (graphql-transport-ws): Strawberry's protocol, with what it leaves unbounded bounded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from datetime import timedelta
from functools import partial
from typing import Any, cast

import strawberry
from graphql import ExecutionResult, GraphQLError, OperationType
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
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

from rules.failures import RateLimited, Refusal, ServiceUnavailable
from server.transport import charging
from server.transport.admission import REFUSED, Admission
from server.transport.documents import chosen_operation
from server.transport.errors import log_unexpected, mask, payload
from server.transport.event_stream import encode_json
from server.transport.graphql_request import Params, RequestError, params_of, parse_json
from server.transport.heads import with_head
from server.transport.origins import has_trusted_origin
from server.transport.patience import PATIENCE, Patience
from server.transport.schema import GatehouseSchema
from settings import Settings
from telemetry import requests

MAX_MESSAGE_CHARS = 256 * 1024
MAX_OPERATIONS = 25
LONGEST_ID = 128
LONGEST_REASON_BYTES = 123
TOO_LARGE, TOO_SLOW, TOO_MANY = 1009, 4508, 4429
MOST_REFUSED = 50

log = logging.getLogger("gatehouse.sockets")

Result = ExecutionResult | PreExecutionError


class _TooSlow(Exception):
    """The client has not read for too long."""


class GraphQLSocket(GraphQL[Any, None]):
    """The ASGI application for WebSockets at /graphql. Each operation gets a context of its own."""

    def __init__(
        self,
        schema: strawberry.Schema,
        make_context: Callable[[HTTPConnection], Any],
        settings: Settings,
        admission: Admission,
        patience: Patience = PATIENCE,
    ) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
            connection_init_wait_timeout=timedelta(seconds=patience.init_s),
            max_subscriptions_per_connection=MAX_OPERATIONS,
        )
        self.make_context = make_context
        self.settings = settings
        self.admission = admission
        self.patience = patience
        self.websocket_adapter_class = _Socket
        self.graphql_transport_ws_handler_class = _Handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one socket, unless the client has too many."""
        client = self.make_context(HTTPConnection(scope))
        try:
            scope["state"]["socket"] = self.admission.open_socket(client, self.admission.known(client))
        except RateLimited as refusal:
            await _refuse(send, refusal.message)
            return
        try:
            await self.admission.in_turn(client, scope, partial(super().__call__, scope, receive, send))
        except RateLimited as refusal:
            await _refuse(send, refusal.message)
        except ClientDisconnect:
            return
        finally:
            scope["state"]["socket"].release()

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Any:
        """A context for the handshake; operations make their own from the same request."""
        return self.make_context(request)

    def is_websocket_origin_allowed(self, request: WebSocket, origin: str) -> bool:
        """Whether a page of this origin may connect with our cookie."""
        return has_trusted_origin(request, self.settings)


async def _refuse(send: Send, message: str) -> None:
    told = [(name.lower().encode(), value.encode()) for name, value in REFUSED.items()]
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *told]
    await send({"type": "websocket.http.response.start", "status": 429, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": message.encode()})


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
                # What waits here already would be read on without anybody else's turn.
                await asyncio.sleep(0)

    async def send_json(self, message: Mapping[str, object]) -> None:
        try:
            async with asyncio.timeout(cast("GraphQLSocket", self.view).patience.socket_read_s):
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
    person: str | None = None
    refused = 0
    # What the operations cost of which it was asked, by their ids.
    _costs: dict[str, int]
    _idle_since = 0.0
    _idle_timer: asyncio.TimerHandle | None = None

    def on_request_accepted(self) -> None:
        self._costs = {}
        self._idle_since = asyncio.get_running_loop().time()
        self._look_whether_idle()
        super().on_request_accepted()

    async def shutdown(self) -> None:
        if self._idle_timer:
            self._idle_timer.cancel()
        await super().shutdown()

    def _look_whether_idle(self) -> None:
        """End a stranger's socket that has had nothing to do for too long."""
        loop = asyncio.get_running_loop()
        if self.person:
            return
        if self.operations:
            self._idle_since = loop.time()
        left = self._idle_since + cast("GraphQLSocket", self.view).patience.idle_s - loop.time()
        if left <= 0:
            self._closing = loop.create_task(self.websocket.close(1000, "Idle: sign in, or connect again to go on"))
            return
        self._idle_timer = loop.call_later(left, self._look_whether_idle)

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
        try:
            await self._count_for_person()
        except RateLimited as refusal:
            await self.websocket.close(TOO_MANY, refusal.message)
            return
        await super().handle_connection_init({"type": "connection_init", "payload": payload})

    async def _count_for_person(self) -> None:
        """Count the socket for its person, if there is one. Raises RateLimited."""
        context, state = self._new_context(), cast("_Socket", self.websocket).ws.scope["state"]
        with suppress(ServiceUnavailable):  # the operations will say so
            self.person = await self._admission.person(context)
        if self.person:
            if (turn := charging.current()) is not None:
                turn.become(self._admission.turn_of(context))
            held = self._admission.open_socket(context, self.person)
            state["socket"].release()
            state["socket"] = held

    @property
    def _admission(self) -> Admission:
        return cast("GraphQLSocket", self.view).admission

    def _new_context(self) -> Any:
        return cast("GraphQLSocket", self.view).make_context(
            _with_bearer(cast("_Socket", self.websocket).ws, self.bearer)
        )

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        try:
            params = params_of(message["payload"])
            query = cast("GatehouseSchema", self.schema).documents.text_of(params)
        except RequestError as error:
            await self.send_message(_error(message["id"], _refusal(error, self.context.request_id)))
            await self._refused_once_more()
            return
        self._idle_since = asyncio.get_running_loop().time()
        if params.asks_cost and message["id"] not in self.operations:
            self._costs[message["id"]] = 0
        await super().handle_subscribe(
            {
                "id": message["id"],
                "type": "subscribe",
                "payload": {"query": query, "variables": params.variables, "operationName": params.operation_name},
            }
        )
        if message["id"] not in self.operations:
            self._costs.pop(message["id"], None)

    async def run_operation(self, operation: Operation[Any, None]) -> None:
        try:
            with requests.observed(self.context.request_id, "websocket", is_graphql=True):
                await self._run(operation)
        except WebSocketDisconnected:
            return
        except _TooSlow:
            await self._drop()
        except Exception as error:
            await self.handle_task_exception(error)
            await self.websocket.close(1011, "Something went wrong on our side.")
        finally:
            self._costs.pop(operation.id, None)

    async def _drop(self) -> None:
        log.debug("A reader is too slow: its socket ends.")
        # Sent once the reader reads again; until then the server's pings decide whether it is still there.
        await self.websocket.close(TOO_SLOW, "Too slow: subscribe again to go on")

    async def _run(self, operation: Operation[Any, None]) -> None:
        context = self._new_context()
        try:
            with self._admission.work(context):
                result = await self._begin(operation, context)
        except (RequestError, Refusal) as error:
            result = PreExecutionError(None, _refusal(error, context.request_id))
        if not isinstance(result, AsyncGenerator):
            await self._tell(operation, result)
            return
        async with aclosing(result):
            async for each in result:
                await self._tell(operation, each, is_last=False)
        await operation.send_operation_message({"id": operation.id, "type": "complete"})

    async def _tell(self, operation: Operation[Any, None], result: Any, *, is_last: bool = True) -> None:
        if isinstance(result, PreExecutionError):
            await operation.send_operation_message(_error(operation.id, result.errors or []))
            await self._refused_once_more()
            return
        body: Any = payload(result.data, result.errors)
        if operation.id in self._costs:
            body["extensions"] = {"cost": self._costs[operation.id]}
        await operation.send_operation_message({"id": operation.id, "type": "next", "payload": body})
        if is_last:
            await operation.send_operation_message({"id": operation.id, "type": "complete"})

    async def _begin(self, operation: Operation[Any, None], context: Any) -> Result | AsyncGenerator[Result, None]:
        """The result of a query or mutation, or those of a subscription. Raises RequestError or Refusal."""
        schema = cast("GatehouseSchema", self.schema)
        params = Params(operation.query, cast("Any", operation.variables), operation.operation_name, None)
        person, prepared = await schema.prepare(operation.query, context, self._admission)
        if prepared.document is None or prepared.errors:
            return PreExecutionError(None, mask(prepared.errors, context.request_id))
        if operation.id in self._costs:
            self._costs[operation.id] = int(prepared.cost)
        chosen = chosen_operation(prepared.document, operation.operation_name)
        if chosen.operation is OperationType.SUBSCRIPTION:
            return schema.watch(prepared, chosen, params, context)
        async with self._admission.heavy.one_at_a_time(person, prepared.cost):
            return await schema.run(prepared, chosen, params, context)

    async def _refused_once_more(self) -> None:
        """Let go of a stranger who is refused again and again."""
        self.refused += 1
        if not self.person and self.refused >= MOST_REFUSED:
            await self.websocket.close(TOO_MANY, "Too many refused operations")

    async def handle_task_exception(self, error: Exception) -> None:
        log_unexpected(error, getattr(self.context, "request_id", ""), "path=- operation=-")


def _refusal(error: RequestError | Refusal, request_id: str) -> list[GraphQLError]:
    return mask([GraphQLError(error.message, extensions={"code": error.code})], request_id)


def _error(identity: str, errors: Sequence[GraphQLError]) -> Any:
    return {"id": identity, "type": "error", "payload": [error.formatted for error in errors]}


def _with_bearer(websocket: WebSocket, bearer: str | None) -> HTTPConnection:
    if bearer is None or "authorization" in websocket.headers:
        return websocket
    return HTTPConnection(with_head(websocket.scope, "authorization", bearer))


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
