"""The HTTP server: uvicorn on a socket that we have bound, with a request's head bounded in time and size."""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import signal
import socket
import sys
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from types import FrameType
from typing import Any, ClassVar

import uvicorn
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp
from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from rules.failures import RateLimited
from server.transport import turns
from server.transport.admission import CONNECTION
from server.transport.bodies import WHOLE
from server.transport.headers import SECURITY_HEADERS
from telemetry import life

RETRY_AFTER_S = 1
# Files beside the connections: the pool's, the listener, logs, what is loaded meanwhile.
OTHER_FILES = 300
FEWEST_CONNECTIONS, MOST_CONNECTIONS = 100, 50_000
MAX_HEAD_BYTES = 64 * 1024
GRACEFUL_SHUTDOWN_S = 4
UPGRADE_EVERY_S = 0.002
KEEP_ALIVE_S = 65  # longer than proxies and clients keep a connection, so that it is they who close it
SWITCH_S = 0.0005
# With 2,000 subscribers a full garbage collection stops the process for half a second: let it be rare.
GARBAGE_THRESHOLDS = (10_000, 20, 100)
# uvicorn logs each path with its query, which may hold a token; tokens also stand in headers and frames.
SOCKET_LOGGER = logging.getLogger("gatehouse.websocket")
SOCKET_LOGGER.setLevel(logging.WARNING)
ESTABLISHED = 1  # as Linux numbers the states of TCP
# So much of a WebSocket's data is parsed at one turn: some twenty of the smallest frames, or half of a long message.
PIECE_BYTES = 512
MAX_WEBSOCKET_MESSAGE_BYTES = 1024 * 1024  # the application's own limit, in characters, is lower


class Upgrades:
    """Connections that are to become WebSockets: one after another, a peer's after one of each other peer's."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: OrderedDict[str, deque[Callable[[], None]]] = OrderedDict()
        self._is_busy = False

    def add(self, peer: str, upgrade: Callable[[], None]) -> None:
        """Do it in its turn; at once where nobody waits."""
        self._waiting.setdefault(peer, deque()).append(upgrade)
        if not self._is_busy:
            self._next()

    def _next(self) -> None:
        self._is_busy = bool(self._waiting)
        if not self._is_busy:
            return
        peer, upgrades = self._waiting.popitem(last=False)
        upgrade = upgrades.popleft()
        if upgrades:
            self._waiting[peer] = upgrades
        self._loop.call_later(UPGRADE_EVERY_S, self._next)
        upgrade()


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 where a client that does not finish the head of a request, in time and size, is let go."""

    head_s = 10.0  # for a whole head
    most = MOST_CONNECTIONS
    _open: ClassVar[Counter[str]] = Counter()
    _counted = False
    _head_timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    # The request under way, while it waits for its turn.
    waiting: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a head, unless there are as many connections as there may be files."""
        super().connection_made(transport)
        self._peer = peer_of(transport)
        if len(self.connections) > self.most or self._open[self._peer] >= max(1, self.most // 2):
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections. Try again in a moment.")
            return
        self._counted = True
        self._open[self._peer] += 1
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        if self._counted:
            self.closed(self._peer)
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_exception(ClientDisconnect())
        self._have_head()
        super().connection_lost(exc)

    @classmethod
    def closed(cls, peer: str) -> None:
        """Count one connection less."""
        cls._open[peer] -= 1
        if cls._open[peer] <= 0:
            del cls._open[peer]

    def data_received(self, data: bytes) -> None:
        """Read on, unless a head has grown too large."""
        awaited = self._head_timer
        super().data_received(data)
        if awaited and awaited is self._head_timer and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too large.")

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def on_message_begin(self) -> None:
        """Expect the head of a further request."""
        super().on_message_begin()
        self.scope[CONNECTION] = self  # type: ignore[literal-required]
        self._expect_head()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._have_head()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is there as well."""
        self.scope[WHOLE] = True  # type: ignore[literal-required]
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """When it is the peer's turn: each takes a millisecond of the loop, before it is known whose request it is."""
        self.transport.pause_reading()
        upgrades: Upgrades = vars(self.server_state).setdefault("upgrades", Upgrades(self.loop))
        upgrades.add(self._peer, self._upgrade)

    def _upgrade(self) -> None:
        if not self.transport.is_closing():
            super().handle_websocket_upgrade()
            self.transport.resume_reading()

    def _expect_head(self) -> None:
        self._have_head()
        self._head_timer = self.loop.call_later(self.head_s, self.transport.close)

    def _have_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
        self._head_timer, self._head_bytes = None, 0

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        """Answer before there is a request for the application to answer."""
        headers = {
            **SECURITY_HEADERS,
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Length": len(message),
            "Connection": "close",
        }
        if status is HTTPStatus.SERVICE_UNAVAILABLE:
            headers["Retry-After"] = RETRY_AFTER_S
        lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in headers.items())]
        self.transport.write("\r\n".join([*lines, "", message]).encode())
        self.transport.close()


class SocketProtocol(WebSocketsSansIOProtocol):
    """WebSockets whose paths are not logged, and of which nothing is read on once the client has gone.

    What arrives is parsed when the application asks for it, a piece at each turn of the client's; meanwhile the
    transport reads nothing, so that the client has to wait.
    """

    waiting: asyncio.Future[None] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Its parts write every header and frame to a log that may hold all there is.
        self.logger = self.conn.logger = SOCKET_LOGGER
        self.conn.debug = False
        self.read_paused = True  # to the parts, which need not do it themselves
        self._unread = bytearray()
        self._arrived = asyncio.Event()
        self._reading_out: asyncio.Task[None] | None = None

    def data_received(self, data: bytes) -> None:
        """Keep it until it is asked for; the request for the socket is answered at once."""
        if not self.handshake_initiated:
            super().data_received(data)
            return
        self._unread += data
        self.transport.pause_reading()
        self._arrived.set()

    def handle_connect(self, event: Request) -> None:
        """Tell the application where its turn is asked for."""
        super().handle_connect(event)
        if not self.close_sent:
            self.scope[CONNECTION] = self  # type: ignore[literal-required]

    async def receive(self) -> ASGIReceiveEvent:
        """What has come next."""
        while self.queue.empty():
            await self._read_on()
        return await self.queue.get()

    async def _read_on(self) -> None:
        """Parse one piece of what has arrived, when it is the client's turn."""
        if not self._unread:
            self._arrived.clear()
            self.transport.resume_reading()
            await self._arrived.wait()
            return
        if (turn := turns.current()) is not None:
            with suppress(RateLimited, ClientDisconnect):  # who has waited for long waits on, and who has gone is told
                await turn.begin(self)
        if _has_gone(self.transport):
            self._unread.clear()
            self.transport.abort()
            return
        piece = bytes(self._unread[:PIECE_BYTES])
        del self._unread[:PIECE_BYTES]
        super().data_received(piece)
        if self.queue.empty():
            await asyncio.sleep(0)

    async def send(self, message: ASGISendEvent) -> None:
        """Send it; when that was the end, the client's own closing is still read."""
        await super().send(message)
        self.read_paused = True
        if self.close_sent and self._reading_out is None:
            self._reading_out = self.loop.create_task(self._read_out())

    async def _read_out(self) -> None:
        while not self.disconnected:
            await self._read_on()

    def shutdown(self) -> None:
        """The server ends."""
        super().shutdown()
        self._arrived.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop what the client had sent."""
        self._drop_unread()
        Protocol.closed(peer_of(self.transport))  # it was counted before it became a WebSocket
        super().connection_lost(exc)
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_exception(ClientDisconnect())
        self._arrived.set()

    def handle_close(self, event: Frame) -> None:
        """The same when it says so."""
        self._drop_unread()
        super().handle_close(event)

    def _drop_unread(self) -> None:
        self._unread.clear()
        waiting = [self.queue.get_nowait() for _ in range(self.queue.qsize())]
        for event in waiting:
            if event["type"] != "websocket.receive":
                self.queue.put_nowait(event)


def _has_gone(transport: asyncio.Transport) -> bool:
    """Whether the other end has left a connection that nothing is read of, as far as the system tells."""
    tcp = transport.get_extra_info("socket")
    if tcp is None or sys.platform != "linux":
        return False
    state: int = tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return state != ESTABLISHED


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


def peer_of(transport: asyncio.BaseTransport) -> str:
    """The address at the other end."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if peer else ""


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
