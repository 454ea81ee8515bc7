"""Turns for all that no endpoint answers: pages, files, probes, and what is not there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from rules.failures import RateLimited
from server.transport.admission import CONNECTION, REFUSED, Admission, Caller
from server.transport.headers import BY_ANY_HOST


class InTurn:
    """Passes a request on when it is its client's turn; endpoints and sockets see to that themselves."""

    def __init__(
        self,
        app: ASGIApp,
        admission: Admission,
        make_context: Callable[[HTTPConnection], Caller],
        is_endpoint: Callable[[str], bool],
    ) -> None:
        self.app = app
        self.admission = admission
        self.make_context = make_context
        self.is_endpoint = is_endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http" or self.is_endpoint(scope["path"]):
            await self.app(scope, receive, send)
            return
        client = self.make_context(HTTPConnection(scope))
        is_probe = scope["path"] in BY_ANY_HOST
        turn = self.admission.turn_of_probe(client) if is_probe else self.admission.turn_of(client)
        try:
            await turn.take(partial(_passed, self.app, scope, receive, send), scope.get(CONNECTION))
        except RateLimited as refusal:
            await PlainTextResponse(f"{refusal}\n", 429, REFUSED)(scope, receive, send)
        except ClientDisconnect:
            return


async def _passed(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)
