"""What every endpoint does with a request: counted while in hand, and answered in its turn, whatever comes of it."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Protocol, cast

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from rules.failures import UNSURE, ServiceUnavailable
from server.transport import bodies, charging
from server.transport.admission import Admission, Caller
from server.transport.errors import INTERNAL_MESSAGE, log_unexpected
from server.transport.graphql_request import RequestError
from server.transport.heads import heads
from server.transport.held import Held
from server.transport.patience import PATIENCE
from telemetry import life


class EndpointContext(Caller, Protocol):
    """What an endpoint needs to know of a request's context."""

    request_id: str
    response_headers: list[tuple[str, str]]
    # Where the feed was as the connection began over which a watch comes, if it was noted.
    watches_from: Any

    async def feed_now(self) -> Any:
        """Where the feed of events is. Raises ServiceUnavailable."""


class Endpoint(ABC):
    """An ASGI application."""

    def __init__(self, make_context: Callable[[HTTPConnection], EndpointContext], admission: Admission) -> None:
        self.make_context = make_context
        self.admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever it is."""
        request = Request(scope, receive)
        try:
            context = self.make_context(request)
            work = await self.admission.let_in(context, scope)
            try:
                response = await self.admission.in_turn(context, scope, partial(self._answer, request, context, work))
            finally:
                work.release()
        except ClientDisconnect:
            return
        except asyncio.CancelledError:
            if not life.is_ending():
                raise
            # The server has waited for it as long as it may.
            response = await self._refuse(request, ServiceUnavailable(UNSURE))
        except Exception as error:
            response = await self._refuse(request, error)
        # Out of hand by now: a client that reads slowly costs no more than its connection.
        await response(scope, receive, send)

    async def _body(
        self, request: Request, context: EndpointContext, work: Held, within_s: float = PATIENCE.body_s
    ) -> bytes:
        """The body. One on its way is not in hand: it is nobody's work yet. Raises RequestError and RateLimited."""
        if heads(request.scope).get("content-encoding", "identity").lower() != "identity":
            raise RequestError("Send the body as it is, without Content-Encoding.", 415)
        if bodies.WHOLE in request.scope:
            return await bodies.whole(request)
        work.release()
        body = await bodies.read(request, self.admission.body(context), within_s)
        work.go_on_as(await self.admission.let_in(context, request.scope))
        if (turn := charging.current()) is not None:
            await turn.begin()
        return body

    @abstractmethod
    def _answer(self, request: Request, context: EndpointContext, work: Held) -> Coroutine[Any, Any, ASGIApp]: ...

    @abstractmethod
    async def _refuse(self, request: Request, error: Exception) -> ASGIApp: ...


def expected(request: Request, error: Exception, where: str) -> RequestError:
    """The error, if it says itself what was wrong with the request; else it is logged, and ours."""
    if isinstance(error, RequestError):
        return error
    log_unexpected(error, request_id_of(request), where)
    return RequestError(INTERNAL_MESSAGE, 500, code="INTERNAL_SERVER_ERROR")


def request_id_of(request: Request) -> str:
    """The id under which the request is logged."""
    return cast("str", request.scope.get("state", {}).get("request_id", ""))
