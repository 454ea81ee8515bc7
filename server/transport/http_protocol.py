"""A client's connection: HTTP/1.1 with a request's head bounded in time and size, and the way to a WebSocket."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import ClassVar

from starlette.requests import ClientDisconnect
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from server.transport.admission import CONNECTION
from server.transport.bodies import WHOLE
from server.transport.headers import SECURITY_HEADERS
from server.transport.unread import Unread

RETRY_AFTER_S = 1
MOST_CONNECTIONS = 50_000
MAX_HEAD_BYTES = 64 * 1024
UPGRADE_EVERY_S = 0.002
TOO_LARGE = "The headers are too large."


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 where a client that does not finish the head of a request, in time and size, is let go."""

    head_s = 10.0  # for a whole head
    read_s = 30.0  # in which some of an answer is read
    most = MOST_CONNECTIONS
    _open: ClassVar[Counter[str]] = Counter()
    _counted = False
    _head_timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _received = 0
    _is_too_large = False
    # The request under way, while it waits for its turn.
    waiting: asyncio.Future[None] | None = None
    # Whether it is answered by what goes on until somebody ends it, and whether the server ends.
    _lasts = False
    _is_ending = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a head, unless there are as many connections as there may be files."""
        super().connection_made(transport)
        self.unread = Unread(transport, self.loop, self.read_s)
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
        self.unread.forget()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """More is written than is read."""
        super().pause_writing()
        self.unread.expect()

    def resume_writing(self) -> None:
        """Most of it is read: what is left of an answer is to be, too; a stream goes on."""
        super().resume_writing()
        if self.cycle.response_complete:
            self.unread.expect()
        else:
            self.unread.forget()

    def on_response_complete(self) -> None:
        """All is written."""
        super().on_response_complete()
        self.unread.expect()

    @contextmanager
    def lasting(self) -> Iterator[None]:
        """While this is answered by what goes on until somebody ends it: the server's end does."""
        self._lasts = True
        try:
            self._end_what_lasts()
            yield
        finally:
            self._lasts = False

    def shutdown(self) -> None:
        """The server ends."""
        self._is_ending = True
        super().shutdown()
        self._end_what_lasts()

    def _end_what_lasts(self) -> None:
        """Cut off what would else be waited for: whoever watches asks again, and comes to a process that goes on."""
        if self._lasts and self._is_ending:
            if self.transport.get_write_buffer_size():
                self.transport.abort()  # nobody reads it
            self.transport.close()

    @classmethod
    def closed(cls, peer: str) -> None:
        """Count one connection less."""
        cls._open[peer] -= 1
        if cls._open[peer] <= 0:
            del cls._open[peer]

    def data_received(self, data: bytes) -> None:
        """Read on, unless a head has grown too large."""
        awaited, self._received = self._head_timer, len(data)
        super().data_received(data)
        if awaited and awaited is self._head_timer and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, TOO_LARGE)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, or has too large a head."""
        if self._is_too_large:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, TOO_LARGE)
        else:
            self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def on_message_begin(self) -> None:
        """Expect the head of a further request."""
        super().on_message_begin()
        self.scope[CONNECTION] = self  # type: ignore[literal-required]
        self._expect_head()

    def on_headers_complete(self) -> None:
        """The head is there. Raises ValueError, which ends the parsing, when it came in few pieces and is too large."""
        may_be_large = self._head_bytes + self._received > MAX_HEAD_BYTES
        self._have_head()
        if not self.flow.write_paused:
            self.unread.forget()  # until the next answer
        if may_be_large and len(self.url) + sum(len(n) + len(v) for n, v in self.headers) > MAX_HEAD_BYTES:
            self._is_too_large = True
            raise ValueError(TOO_LARGE)
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
            self.unread.forget()
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


def peer_of(transport: asyncio.BaseTransport) -> str:
    """The address at the other end."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if peer else ""
