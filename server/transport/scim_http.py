"""SCIM over HTTP: bounds, media types and status codes; what is asked and answered is the service provider's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from rules.failures import Failure
from server.transport import bodies
from server.transport.admission import REFUSED, RETRY_AFTER_S, Admission
from server.transport.endpoint import Endpoint, EndpointContext, expected
from server.transport.graphql_request import RequestError, parse_json, refuse_unusable_text
from server.transport.held import Held
from telemetry import requests

BASE_PATH = "/scim/v2"
SCIM_JSON = "application/scim+json"
BODIES = {SCIM_JSON, "application/json"}


class Answer(Protocol):
    @property
    def status(self) -> int: ...

    @property
    def body(self) -> dict[str, Any] | None:
        """The JSON, if any."""

    @property
    def headers(self) -> dict[str, str]: ...


class ServiceProvider(Protocol):
    async def admit(self, context: Any) -> None:
        """Let a key through before its body is read. Raises Failure."""

    async def answer(self, context: Any, **asked: Any) -> Answer: ...

    def refuse(self, error: Failure) -> Answer:
        """Tell a failure."""


class ScimEndpoint(Endpoint):
    """The ASGI application below /scim/v2.

    Its service provider is made at the first request: the models behind it take as long to load as all the rest of the
    API.
    """

    def __init__(
        self,
        make_service_provider: Callable[[], ServiceProvider],
        make_context: Callable[[HTTPConnection], EndpointContext],
        admission: Admission,
    ) -> None:
        super().__init__(make_context, admission)
        self._make_service_provider = make_service_provider
        self._service_provider: ServiceProvider | None = None

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes to put into the application."""
        return [Route(BASE_PATH, self), Route(BASE_PATH + "/{path:path}", self)]

    async def _answer(self, request: Request, context: EndpointContext, work: Held) -> Response:
        # Known from here on as one who has a key, and let through before anything is read.
        await self.admission.person(context)
        service_provider = await self._made()
        await service_provider.admit(context)
        for name, value in request.query_params.items():
            refuse_unusable_text(name + value)
        answer = await service_provider.answer(
            context,
            method=request.method,
            path=request.path_params.get("path", ""),
            query=dict(request.query_params),
            read=partial(self._json, request, context, work),
            if_match=request.headers.get("if-match"),
            if_none_match=request.headers.get("if-none-match"),
        )
        return _response(answer.status, answer.body, answer.headers)

    async def _refuse(self, request: Request, error: Exception) -> Response:
        if isinstance(error, Failure):
            answer = (await self._made()).refuse(error)
            status, body, headers = answer.status, answer.body, dict(answer.headers)
        else:
            error = expected(request, error, "path=scim operation=-")
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

    async def _json(self, request: Request, context: EndpointContext, work: Held) -> Any:
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type not in BODIES:
            raise RequestError(f"Send the resource as {SCIM_JSON}.", 415, headers={"Accept": SCIM_JSON})
        return parse_json(await self._body(request, context, work))

    async def _made(self) -> ServiceProvider:
        if self._service_provider is None:
            # Beside the loop; of two at once either is as good.
            self._service_provider = await asyncio.to_thread(self._make_service_provider)
        return self._service_provider


def _told(status: int, detail: str) -> dict[str, Any]:
    kind = {"scimType": "invalidSyntax"} if status == 400 else {}
    schemas = ["urn:ietf:params:scim:api:messages:2.0:Error"]
    return {"schemas": schemas, "status": str(status), **kind, "detail": detail}


def _response(status: int, body: dict[str, Any] | None, headers: Mapping[str, str]) -> Response:
    if status >= 400:
        requests.ended(f"HTTP_{status}")
    content = b"" if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, status, headers, media_type=None if body is None else SCIM_JSON)
