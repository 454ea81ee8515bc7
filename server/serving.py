"""The HTTP server: uvicorn on a socket that we have bound, with the time bounded that a request's head may take."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_TIMEOUT_S = 10.0
GRACEFUL_SHUTDOWN_S = 4
KEEP_ALIVE_S = 65  # longer than proxies and clients keep a connection, so that it is they who close it
# With 2,000 subscribers a full garbage collection stops the process for half a second: let it be rare.
GARBAGE_THRESHOLDS = (10_000, 20, 100)
MAX_WEBSOCKET_MESSAGE_BYTES = 1024 * 1024  # the application's own limit, in characters, is lower


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 where a client that does not finish the head of a request is let go."""

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a head."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._have_head()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Expect the head of a further request."""
        super().on_message_begin()
        self._expect_head()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._have_head()
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._have_head()
        self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self.transport.close)

    def _have_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()


def run(app: ASGIApp, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM, then finish what is under way."""
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="websockets-sansio",
        ws_max_size=MAX_WEBSOCKET_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    gc.freeze()  # what was loaded until now stays: no collection need look at it
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    # Once it has stopped, uvicorn raises the signal again: it has done its work by then.
    signal.signal(signal.SIGTERM, lambda *_: None)
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])
