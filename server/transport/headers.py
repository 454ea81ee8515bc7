"""What every request passes on its way in and every answer on its way out: request id, security headers, CORS."""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Iterable
from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.transport.heads import heads
from settings import Settings
from telemetry import requests
from telemetry.requests import Observed

REQUEST_ID = re.compile(r"[A-Za-z0-9_.:=+/-]{1,64}")
ID_BYTES = 16
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


# They say how a document is shown, and nothing of a module or a stylesheet, of which a page has dozens.
OF_DOCUMENTS = frozenset(
    {b"content-security-policy", b"x-frame-options", b"cross-origin-opener-policy", b"permissions-policy"}
)
PARTS = (b"text/javascript", b"text/css")
MOST_KEPT = 200


def middleware(settings: Settings, endpoint: ASGIApp | None = None) -> list[Middleware]:
    """The middlewares of the application, outermost first; the last leads to the GraphQL endpoint, if given."""
    https = urlsplit(settings.public_url).scheme == "https"
    return [
        Middleware(Passage, https=https, served=settings.served_hosts),
        *([_cors(settings)] if settings.allowed_origins else []),
        *([Middleware(Shortcut, path="/graphql", there=endpoint)] if endpoint else []),
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


class Passage:
    """Gives each request an id, its own if that is sane, refuses what is asked of a host that is not ours, and adds to
    every answer the id and the security headers that it does not set itself.

    The id stands in scope["state"]["request_id"]. A page of another host's name would count as our own.
    """

    def __init__(self, app: ASGIApp, https: bool, served: frozenset[str]) -> None:
        self.app = app
        self.served = served
        headers = dict(SECURITY_HEADERS)
        if https:
            headers["Strict-Transport-Security"] = f"max-age={HSTS_AGE_S}; includeSubDomains"
        self.headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        # By the names of the headers that an answer sets itself, of which there are a few dozen sets.
        self._missing: dict[tuple[object, ...], list[tuple[bytes, bytes]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        own = heads(scope)
        given = own.get("x-request-id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else os.urandom(ID_BYTES).hex()
        # A copy: the server shares one state between all requests.
        scope["state"] = {**scope.get("state", {}), "request_id": request_id}
        is_served = scope["path"] in BY_ANY_HOST or _without_port(own.get("host", "").lower()) in self.served
        app = self.app if is_served else _misdirected
        # A socket's operations are told of one by one.
        if kind == "websocket" or scope["path"] in UNTOLD_PATHS:
            await app(scope, receive, self._sending(send, request_id))
            return
        trace = own.get("traceparent")
        with requests.observed(request_id, "http", is_graphql=_asks_graphql(scope), traceparent=trace) as observed:
            await app(scope, receive, self._sending(send, request_id, observed))

    def _sending(self, send: Send, request_id: str, observed: Observed | None = None) -> Send:
        """Send on with what each answer carries, and tell what became of the request."""
        id_header = (b"x-request-id", request_id.encode())

        def send_on(message: Message) -> Awaitable[None]:
            kind = message["type"]
            if kind == "http.response.start":
                if observed is not None and message["status"] >= 400:
                    observed.end(f"HTTP_{message['status']}")
                message["headers"] = [*self._secured(message.get("headers", ())), id_header]
            elif kind in {"websocket.accept", "websocket.http.response.start"}:
                message["headers"] = [*message.get("headers", ()), id_header]
            return send(message)

        return send_on

    def _secured(self, own: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """An answer's headers with those that it lacks."""
        headers, names, is_part = list(own), [], False
        for name, value in headers:
            names.append(name)
            is_part = is_part or (name == b"content-type" and value.startswith(PARTS))
        key = (is_part, *names)
        missing = self._missing.get(key)
        if missing is None:
            missing = [
                (name, value)
                for name, value in self.headers
                if name not in names and not (is_part and name in OF_DOCUMENTS)
            ]
            if len(self._missing) < MOST_KEPT:
                self._missing[key] = missing
        return headers + missing


class Shortcut:
    """Gives what is asked at one path to its application, past the router, which tries one route after another."""

    def __init__(self, app: ASGIApp, path: str, there: ASGIApp) -> None:
        self.app = app
        self.path = path
        self.there = there

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_there = scope["type"] == "http" and scope["path"] == self.path and not scope.get("root_path")
        await (self.there if is_there else self.app)(scope, receive, send)


def _asks_graphql(scope: Scope) -> bool:
    is_asked = scope["method"] == "POST" or b"query=" in scope["query_string"]
    return bool(is_asked and scope["path"] == "/graphql")


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
