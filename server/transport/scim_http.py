"""SCIM over HTTP: bounds, media types and status codes; what is asked and answered is the door's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from rules.failures import Failure
from server.transport import bodies
from server.transport.admission import REFUSED, RETRY_AFTER_S, Admission
from server.transport.errors import INTERNAL_MESSAGE, log_unexpected
from server.transport.graphql_http import EndpointContext, request_id_of
from server.transport.graphql_request import RequestError, parse_json, refuse_unusable_text
from telemetry import requests

BASE_PATH = "/scim/v2"
SCIM_JSON = "application/scim+json"
BODIES = {SCIM_JSON, "application/json"}


class Answer(Protocol):
    """What the door answers."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def body(self) -> dict[str, Any] | None:
        """The JSON, if any."""

    @property
    def headers(self) -> dict[str, str]:
        """Headers of its own."""


class Door(Protocol):
    """What answers."""

    async def admit(self, context: Any) -> None:
        """Let a key through before its body is read. Raises Failure."""

    async def answer(self, context: Any, **asked: Any) -> Answer:
        """Answer what was asked."""

    def refuse(self, error: Failure) -> Answer:
        """Tell a failure."""


class ScimEndpoint:
    """The ASGI application below /scim/v2."""

    def __init__(
        self, door: Door, make_context: Callable[[HTTPConnection], EndpointContext], admission: Admission
    ) -> None:
        self.door = door
        self.make_context = make_context
        self.admission = admission

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes to put into the application."""
        return [Route(BASE_PATH, self), Route(BASE_PATH + "/{path:path}", self)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever it is."""
        request = Request(scope, receive)
        try:
            context = self.make_context(request)
            with self.admission.work(context):
                response = await self._answer(request, context)
        except ClientDisconnect:
            return
        except Exception as error:
            response = await self._refuse(request, error)
        await response(scope, receive, send)

    async def _answer(self, request: Request, context: EndpointContext) -> Response:
        # Known from here on as one who has a key, and let through before anything is read.
        await self.admission.person(context)
        await self.door.admit(context)
        for name, value in request.query_params.items():
            refuse_unusable_text(name + value)
        answer = await self.door.answer(
            context,
            method=request.method,
            path=request.path_params.get("path", ""),
            query=dict(request.query_params),
            read=partial(_json, request),
            if_match=request.headers.get("if-match"),
            if_none_match=request.headers.get("if-none-match"),
        )
        return _response(answer.status, answer.body, answer.headers)

    async def _refuse(self, request: Request, error: Exception) -> Response:
        if isinstance(error, Failure):
            answer = self.door.refuse(error)
            status, body, headers = answer.status, answer.body, dict(answer.headers)
        else:
            if not isinstance(error, RequestError):
                log_unexpected(error, request_id_of(request), "path=scim operation=-")
                error = RequestError(INTERNAL_MESSAGE, 500)
            status, headers = error.status, dict(error.headers)
            body = _told(status, error.message)
        if status == 401:
            headers["WWW-Authenticate"] = 'Bearer realm="scim"'
        if status in {429, 503}:
            headers |= REFUSED if status == 429 else {"Retry-After": str(RETRY_AFTER_S)}
        if status in {401, 403, 408, 413, 415, 429}:
            # The rest of the body is nobody's to read.
            await bodies.drain(request)
            headers["Connection"] = "close"
        return _response(status, body, headers)


async def _json(request: Request) -> Any:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in BODIES:
        raise RequestError(f"Send the resource as {SCIM_JSON}.", 415, headers={"Accept": SCIM_JSON})
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise RequestError("Send the body as it is, without Content-Encoding.", 415)
    return parse_json(await bodies.read(request))


def _told(status: int, detail: str) -> dict[str, Any]:
    kind = {"scimType": "invalidSyntax"} if status == 400 else {}
    schemas = ["urn:ietf:params:scim:api:messages:2.0:Error"]
    return {"schemas": schemas, "status": str(status), **kind, "detail": detail}


def _response(status: int, body: dict[str, Any] | None, headers: Mapping[str, str]) -> Response:
    if status >= 400:
        requests.ended(f"HTTP_{status}")
    content = b"" if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, status, headers, media_type=None if body is None else SCIM_JSON)
