"""GraphQL over WebSocket (graphql-transport-ws): Strawberry's protocol, with what it leaves unbounded bounded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import strawberry
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from rules.failures import RateLimited
from server.transport.admission import REFUSED, Admission
from server.transport.origins import has_trusted_origin
from server.transport.patience import PATIENCE, Patience
from server.transport.socket_messages import Messages
from server.transport.socket_operations import Operations
from settings import Settings

MAX_OPERATIONS = 25


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
        self.websocket_adapter_class = Messages
        self.graphql_transport_ws_handler_class = Operations

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
