"""The operations of a GraphQL socket: Strawberry's protocol, each operation with a context and a turn of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any, cast

from graphql import ExecutionResult, GraphQLError, OperationType
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    ConnectionInitMessage,
    Message,
    SubscribeMessage,
)
from strawberry.types.execution import PreExecutionError

from rules.failures import RateLimited, Refusal, ServiceUnavailable, Unauthenticated
from server.transport import charging
from server.transport.admission import Admission
from server.transport.documents import chosen_operation
from server.transport.errors import log_unexpected, mask, payload
from server.transport.graphql_request import Params, RequestError, params_of
from server.transport.heads import with_head
from server.transport.held import TOO_MUCH
from server.transport.schema import GatehouseSchema
from server.transport.socket_messages import TOO_MANY, TOO_SLOW, Messages, TooSlow, View, error_message, problem_of
from telemetry import requests

MOST_REFUSED = 50
# A client that has been told that its socket is open subscribes, and may at once change what it watches over another
# connection. A busy process comes to the two in any order, so a watch asked for so soon begins where the socket did.
SOON_S = 10.0

log = logging.getLogger("gatehouse.sockets")

Result = ExecutionResult | PreExecutionError


class Operations(BaseGraphQLTransportWSHandler[Any, None]):
    """Refuses messages that are not of the protocol's shape, and logs nothing that a client sent."""

    bearer: str | None = None
    person: str | None = None
    refused = 0
    # Where the feed was as a person's socket opened, and when that was.
    _opened: tuple[Any, float] | None = None
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
        if self._idle_timer:
            self._idle_timer.cancel()
        if self.person:
            return
        if self.operations:
            self._idle_since = loop.time()
        left = self._idle_since + cast("View", self.view).patience.idle_s - loop.time()
        if left <= 0:
            self._closing = loop.create_task(self.websocket.close(1000, "Idle: sign in, or connect again to go on"))
            return
        self._idle_timer = loop.call_later(left, self._look_whether_idle)

    async def handle_message(self, message: Message) -> None:
        problem = problem_of(message)
        try:
            if problem:
                await self.handle_invalid_message(problem)
            else:
                await super().handle_message(message)
        except TooSlow:
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
        context = self._new_context()
        with suppress(ServiceUnavailable):  # the operations will say so
            self.person = await self._admission.person(context)
        if self.person:
            if (turn := charging.current()) is not None:
                turn.become(self._admission.turn_of(context))
            self._count_anew(context)
            with suppress(ServiceUnavailable):  # so will the operations
                self._opened = await context.feed_now(), asyncio.get_running_loop().time()

    async def _look_whether_still_theirs(self) -> None:
        """It is a stranger's once its session has ended: counted as theirs, and let go when it has nothing to do."""
        context = self._new_context()
        self._admission.doubt(context)
        with suppress(ServiceUnavailable):  # whoever asks again is told so
            if await self._admission.person(context) is not None:
                return
            self.person = None
            self._idle_since = asyncio.get_running_loop().time()
            self._look_whether_idle()
            try:
                self._count_anew(context)
            except RateLimited as refusal:
                await self.websocket.close(TOO_MANY, refusal.message)

    def _count_anew(self, context: Any) -> None:
        """Raises RateLimited."""
        state = cast("Messages", self.websocket).ws.scope["state"]
        held = self._admission.open_socket(context, self.person)
        state["socket"].release()
        state["socket"] = held

    @property
    def _admission(self) -> Admission:
        return cast("View", self.view).admission

    def _new_context(self) -> Any:
        return cast("View", self.view).make_context(_with_bearer(cast("Messages", self.websocket).ws, self.bearer))

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        try:
            params = params_of(message["payload"])
            query = cast("GatehouseSchema", self.schema).documents.text_of(params)
        except RequestError as error:
            await self.send_message(error_message(message["id"], _refusal(error, self.context.request_id)))
            await self._refused_once_more()
            return
        if self._has_all_it_may(message["id"]):
            await self.send_message(
                error_message(message["id"], _refusal(RateLimited(TOO_MUCH), self.context.request_id))
            )
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

    def _has_all_it_may(self, another: str) -> bool:
        """Whether so many operations are under way that another one is too much; Strawberry's refusal has no code."""
        most = self.max_subscriptions_per_connection
        is_new = self.connection_acknowledged and another not in self.operations
        return is_new and most is not None and len(self.operations) >= most

    async def run_operation(self, operation: Operation[Any, None]) -> None:
        try:
            with requests.observed(self.context.request_id, "websocket", is_graphql=True):
                await self._run(operation)
        except WebSocketDisconnected:
            return
        except TooSlow:
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
        if self._opened and asyncio.get_running_loop().time() < self._opened[1] + SOON_S:
            context.watches_from = self._opened[0]
        try:
            with self._admission.work(context):
                result = await self._begin(operation, context)
        except (RequestError, Refusal) as error:
            result = PreExecutionError(None, _refusal(error, context.request_id))
        if not isinstance(result, AsyncGenerator):
            await self._tell(operation, result)
            return
        try:
            async with aclosing(result):
                async for each in result:
                    await self._tell(operation, each, is_last=False)
        finally:
            # Whoever has watched over this socket, and asks again, watches from then on.
            self._opened = None
        await operation.send_operation_message({"id": operation.id, "type": "complete"})

    async def _tell(self, operation: Operation[Any, None], result: Any, *, is_last: bool = True) -> None:
        if self.person and any(_says_signed_out(error) for error in result.errors or ()):
            await self._look_whether_still_theirs()
        if isinstance(result, PreExecutionError):
            await operation.send_operation_message(error_message(operation.id, result.errors or []))
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


def _says_signed_out(error: GraphQLError) -> bool:
    return (error.extensions or {}).get("code") == Unauthenticated.code


def _refusal(error: RequestError | Refusal, request_id: str) -> list[GraphQLError]:
    return mask([GraphQLError(error.message, extensions={"code": error.code})], request_id)


def _with_bearer(websocket: WebSocket, bearer: str | None) -> HTTPConnection:
    if bearer is None or "authorization" in websocket.headers:
        return websocket
    return HTTPConnection(with_head(websocket.scope, "authorization", bearer))
