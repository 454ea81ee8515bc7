"""GraphQL over HTTP: one request in, its media types and status codes as the specification has them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from typing import Any

from graphql import GraphQLError, OperationType
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp

from rules.failures import RateLimited, Refusal, ServiceUnavailable
from server.transport import bodies
from server.transport.admission import REFUSED, RETRY_AFTER_S, ROOM, Admission, Room
from server.transport.answer import Answer
from server.transport.documents import chosen_operation
from server.transport.endpoint import Endpoint, EndpointContext, expected, request_id_of
from server.transport.errors import mask, payload
from server.transport.event_stream import EventStream, Lasting, encode_json
from server.transport.graphql_request import Params, RequestError, params_of, params_of_url, parse_json
from server.transport.graphql_ws import GraphQLSocket
from server.transport.heads import heads
from server.transport.held import Held
from server.transport.negotiation import EVENTS, HTML, JSON, RESPONSE_JSON, Accepted, accepted
from server.transport.origins import refuse_forged
from server.transport.patience import PATIENCE, Patience
from server.transport.schema import GatehouseSchema
from settings import Settings
from telemetry import requests

METHODS = {"Allow": "GET, POST"}
WHEN_REFUSED = {429: REFUSED, 503: {"Retry-After": str(RETRY_AFTER_S)}}
STATUS_OF: dict[type[Refusal], int] = {ServiceUnavailable: 503, RateLimited: 429}


class GraphQLEndpoint(Endpoint):
    """The ASGI application at /graphql; `page` answers a browser's visit, where there is an explorer."""

    def __init__(
        self,
        schema: GatehouseSchema,
        make_context: Callable[[HTTPConnection], EndpointContext],
        *,
        settings: Settings,
        page: Callable[[Request], Awaitable[Response | None]] | None = None,
        patience: Patience = PATIENCE,
        room: Room = ROOM,
    ) -> None:
        super().__init__(make_context, Admission(room))
        self.patience = patience
        self.schema = schema
        self.settings = settings
        self.page = page

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes to put into the application."""
        socket = GraphQLSocket(self.schema, self.make_context, self.settings, self.admission, self.patience)
        return [Route("/graphql", self), WebSocketRoute("/graphql", socket)]

    async def _refuse(self, request: Request, error: Exception) -> ASGIApp:
        if isinstance(error, Refusal):
            status = STATUS_OF.get(type(error), 400)
            error = RequestError(error.message, status, code=error.code, headers=WHEN_REFUSED.get(status, {}))
        error = expected(request, error, "path=- operation=-")
        if error.status == 413:
            await bodies.drain(request)
        return self._refusal(request, error)

    async def _answer(self, request: Request, context: EndpointContext, work: Held) -> ASGIApp:
        if request.method not in {"GET", "POST"}:
            raise RequestError("Send GET or POST.", 405, headers=METHODS)
        wanted = accepted(heads(request.scope).get("accept"))
        if self.page and HTML in wanted.types and request.method == "GET" and "query" not in request.query_params:
            page = await self.page(request)
            if page:
                return page
        if not wanted.json and EVENTS not in wanted.types:
            raise RequestError(f"Accept one of {RESPONSE_JSON}, {JSON}, {EVENTS}.", 406)
        params = await self._params(request, context, work)
        refuse_forged(request, self.settings)
        return await self._execute(request, params, wanted, context)

    async def _params(self, request: Request, context: EndpointContext, work: Held) -> Params:
        if request.method == "GET":
            return params_of_url(request.query_params)
        own = heads(request.scope)
        if (content_type := own.get("content-type", "")) != "application/json":
            _refuse_other(content_type)
        return params_of(parse_json(await self._body(request, context, work, self.patience.body_s)))

    async def _execute(self, request: Request, params: Params, wanted: Accepted, context: EndpointContext) -> ASGIApp:
        text = self.schema.documents.text_of(params)
        person, prepared = await self.schema.prepare(text, context, self.admission)
        streams = wanted.best == EVENTS
        if prepared.document is None or prepared.errors:
            errors = mask(prepared.errors, context.request_id)
            return _stream(None, errors, context) if streams else _result(None, errors, wanted, context)
        chosen = chosen_operation(prepared.document, params.operation_name)
        operation = chosen.operation
        if operation is OperationType.MUTATION and request.method == "GET":
            raise RequestError("Send mutations by POST.", 405, headers={"Allow": "POST"})
        if operation is OperationType.SUBSCRIPTION:
            if EVENTS not in wanted.types:
                raise RequestError(f"Subscribe over WebSocket, or accept {EVENTS}.", 406)
            if person:
                # The head of the answer tells the client that it watches.
                context.watches_from = await context.feed_now()
            place = self.admission.open_socket(context, person)
            results = self.schema.watch(prepared, chosen, params, context)
            stream = EventStream(_payloads(results), patience=self.patience)
            return Lasting(stream, place.release, self.admission.turn_of(context))
        async with self.admission.heavy.one_at_a_time(person, prepared.cost):
            result = await self.schema.run(prepared, chosen, params, context)
        cost = int(prepared.cost) if params.asks_cost else None
        if streams:
            return _stream(result.data, result.errors, context, cost)
        return _result(result.data, result.errors, wanted, context, cost)

    def _refusal(self, request: Request, error: RequestError) -> ASGIApp:
        requests.ended(error.code)
        wanted = accepted(heads(request.scope).get("accept"))
        body = {
            "errors": [
                {"message": error.message, "extensions": {"code": error.code, "requestId": request_id_of(request)}}
            ]
        }
        headers = dict(error.headers)
        if error.status in {408, 413}:
            headers["Connection"] = "close"
        answer = [body] * error.batch if error.batch else body
        return _json(answer, wanted.json or JSON, error.status, headers.items())


async def _payloads(results: AsyncGenerator[Any, None]) -> AsyncGenerator[dict[str, Any], None]:
    async with aclosing(results):
        async for result in results:
            yield payload(result.data, result.errors)


def _refuse_other(content_type: str) -> None:
    """Raise RequestError for what is not JSON in UTF-8."""
    name, _, parameters = content_type.partition(";")
    if name.strip().lower() != "application/json":
        raise RequestError("Send the request as application/json.", 415, headers={"Accept": "application/json"})
    charset = parameters.lower().replace(" ", "").replace('"', "").partition("charset=")[2].partition(";")[0]
    if charset not in {"", "utf-8", "utf8", "us-ascii"}:
        raise RequestError("Send the JSON in UTF-8.")


def _result(
    data: dict[str, Any] | None,
    errors: list[GraphQLError] | None,
    wanted: Accepted,
    context: EndpointContext,
    cost: int | None = None,
) -> Answer:
    body = _payload(data, errors, cost)
    media_type = wanted.json or JSON
    # The older media type says 200 to whatever it could read; the newer one tells a refusal by its status.
    status = 400 if "data" not in body and media_type == RESPONSE_JSON else 200
    return _json(body, media_type, status, _headers(errors, context))


def _stream(
    data: dict[str, Any] | None,
    errors: list[GraphQLError] | None,
    context: EndpointContext,
    cost: int | None = None,
) -> EventStream:
    async def once() -> AsyncGenerator[dict[str, Any], None]:
        yield _payload(data, errors, cost)

    return EventStream(once(), _headers(errors, context))


def _payload(data: dict[str, Any] | None, errors: list[GraphQLError] | None, cost: int | None) -> dict[str, Any]:
    """A result, with what the document costs for whoever has asked."""
    return payload(data, errors) | ({"extensions": {"cost": cost}} if cost is not None else {})


def _headers(errors: list[GraphQLError] | None, context: EndpointContext) -> list[tuple[str, str]]:
    """What the resolvers have set; and where whoever is refused within the answer stands."""
    is_refused = any((error.extensions or {}).get("code") == RateLimited.code for error in errors or ())
    return [*context.response_headers, *(REFUSED.items() if is_refused else ())]


def _json(body: object, media_type: str, status: int, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    return Answer(encode_json(body), media_type, status, headers)
