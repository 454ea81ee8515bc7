"""The HTTP server: uvicorn on a socket that we have bound."""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
import socket
import sys
from contextlib import suppress
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from server.transport.http_protocol import MOST_CONNECTIONS, Protocol
from server.transport.socket_protocol import SocketProtocol
from telemetry import life

# Files beside the connections: the pool's, the listener, logs, what is loaded meanwhile.
OTHER_FILES = 300
FEWEST_CONNECTIONS = 100
GRACEFUL_SHUTDOWN_S = 7  # longer than the database lets a request wait
KEEP_ALIVE_S = 65  # longer than proxies and clients keep a connection, so that it is they who close it
SWITCH_S = 0.0005
# A collection of the youngest takes as long as there are of them, and everybody waits: few at a time. With 2,000
# subscribers a full one stops the process for half a second: let it be rare, after two million new objects at least.
# Far rarer, what strangers' errors leave in cycles would fill the memory by 5 MB a second.
GARBAGE_THRESHOLDS = (5_000, 1, 150)
MAX_WEBSOCKET_MESSAGE_BYTES = 1024 * 1024  # the application's own limit, in characters, is lower


class Server(uvicorn.Server):
    """A server that says that it ends for `drain_s` seconds before it takes no more connections."""

    def __init__(self, config: uvicorn.Config, drain_s: float) -> None:
        super().__init__(config)
        self.drain_s = drain_s

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGINT or SIGTERM; a second one ends it at once."""
        if life.is_ending() or not self.started:
            super().handle_exit(sig, frame)
            return
        life.end()
        asyncio.get_running_loop().call_later(self.drain_s, super().handle_exit, sig, frame)


def raise_file_limit() -> int:
    """Allow as many files as the system does; how many connections that leaves."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else soft - OTHER_FILES
    return min(MOST_CONNECTIONS, max(FEWEST_CONNECTIONS, allowed))


def run(app: ASGIApp, listener: socket.socket, *, drain_s: float = 0) -> None:
    """Serve until SIGINT or SIGTERM, then finish what is under way."""
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws=SocketProtocol,
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
    Protocol.most = raise_file_limit()
    gc.freeze()  # what was loaded until now stays: no collection need look at it
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    # Documents are parsed in threads: the loop gets the interpreter back after half a millisecond, not five.
    sys.setswitchinterval(SWITCH_S)
    # Once it has stopped, uvicorn raises the signal again: it has done its work by then.
    signal.signal(signal.SIGTERM, lambda *_: None)
    with suppress(KeyboardInterrupt):
        Server(config, drain_s).run(sockets=[listener])
