"""What every request passes on its way in and every answer on its way out: request id, security headers, CORS."""

from __future__ import annotations

import re
from urllib.parse import urlsplit
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from settings import Settings
from telemetry import requests

REQUEST_ID = re.compile(r"[A-Za-z0-9_.:=+/-]{1,64}")
# What probes ask for all day long.
UNTOLD_PATHS = {"/livez", "/readyz", "/healthz"}
PREFLIGHT_AGE_S = 600
HSTS_AGE_S = 365 * 24 * 3600
CALLERS_HEADERS = [
    "Authorization",
    "Content-Type",
    "GraphQL-Require-Preflight",
    "X-Request-Id",
    "X-Requested-With",
    "Apollo-Require-Preflight",
    "apollographql-client-name",
    "apollographql-client-version",
    "traceparent",
    "tracestate",
    "baggage",
]
# A load balancer asks for these by address.
BY_ANY_HOST = {"/healthz", "/livez", "/readyz", "/metrics"}
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def middleware(settings: Settings) -> list[Middleware]:
    """The middlewares of the application, outermost first."""
    return [
        Middleware(RequestId),
        Middleware(SecurityHeaders, https=urlsplit(settings.public_url).scheme == "https"),
        Middleware(Hosts, served=settings.served_hosts),
        *([_cors(settings)] if settings.allowed_origins else []),
    ]


def _cors(settings: Settings) -> Middleware:
    return Middleware(
        CORSMiddleware,
        allow_origins=sorted(settings.allowed_origins),
        allow_methods=["GET", "POST"],
        allow_headers=CALLERS_HEADERS,
        allow_credentials=True,
        expose_headers=["X-Request-Id", "Retry-After", "RateLimit", "RateLimit-Policy"],
        max_age=PREFLIGHT_AGE_S,
    )


class RequestId:
    """Gives each request an id, its own if that is sane, in scope["state"]["request_id"] and in the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid4().hex
        # A copy: the server shares one state between all requests.
        scope["state"] = {**scope.get("state", {}), "request_id": request_id}

        async def send_with_id(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.accept", "websocket.http.response.start"}:
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        if (
            scope["type"] == "websocket" or scope["path"] in UNTOLD_PATHS
        ):  # a socket's operations are told of one by one
            await self.app(scope, receive, send_with_id)
            return
        trace = Headers(scope=scope).get("traceparent")
        with requests.observed(request_id, "http", is_graphql=_asks_graphql(scope), traceparent=trace) as observed:

            async def send_observed(message: Message) -> None:
                if message["type"] == "http.response.start" and message["status"] >= 400:
                    observed.end(f"HTTP_{message['status']}")
                await send_with_id(message)

            await self.app(scope, receive, send_observed)


def _asks_graphql(scope: Scope) -> bool:
    is_asked = scope["method"] == "POST" or b"query=" in scope["query_string"]
    return bool(is_asked and scope["path"] == "/graphql")


# They say how a document is shown, and nothing of a module or a stylesheet, of which a page has dozens.
OF_DOCUMENTS = frozenset({b"x-frame-options", b"cross-origin-opener-policy", b"permissions-policy"})
PARTS = (b"text/javascript", b"text/css")


class SecurityHeaders:
    """Adds to every answer the security headers that it does not set itself."""

    def __init__(self, app: ASGIApp, https: bool) -> None:
        self.app = app
        headers = dict(SECURITY_HEADERS)
        if https:
            headers["Strict-Transport-Security"] = f"max-age={HSTS_AGE_S}; includeSubDomains"
        self.headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self.of_parts = [header for header in self.headers if header[0] not in OF_DOCUMENTS]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", ()))
                names = {name for name, _ in own}
                is_part = any(name == b"content-type" and value.startswith(PARTS) for name, value in own)
                wanted = self.of_parts if is_part else self.headers
                message["headers"] = own + [header for header in wanted if header[0] not in names]
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class Hosts:
    """Refuses what is asked of a host that is not ours: a page of another name would count as our own."""

    def __init__(self, app: ASGIApp, served: frozenset[str]) -> None:
        self.app = app
        self.served = served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] in {"http", "websocket"} and scope["path"] not in BY_ANY_HOST:
            host = Headers(scope=scope).get("host", "").lower()
            if _without_port(host) not in self.served:
                await _misdirected(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] or host


async def _misdirected(scope: Scope, receive: Receive, send: Send) -> None:
    sentence = "This host is not served here. GATEHOUSE_PUBLIC_URL and GATEHOUSE_ALLOWED_HOSTS name those that are.\n"
    kind = "websocket.http.response" if scope["type"] == "websocket" else "http.response"
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(sentence)).encode())]
    await send({"type": f"{kind}.start", "status": 421, "headers": headers})
    await send({"type": f"{kind}.body", "body": sentence.encode()})
