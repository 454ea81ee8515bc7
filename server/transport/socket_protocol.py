"""A client's WebSocket, of which is read what there is time for."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from contextlib import suppress
from typing import Any

from starlette.requests import ClientDisconnect
from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.frames import Frame
from websockets.http11 import Request

from rules.failures import RateLimited
from server.transport import charging
from server.transport.admission import CONNECTION
from server.transport.http_protocol import Protocol, peer_of

# uvicorn logs each path with its query, which may hold a token; tokens also stand in headers and frames.
SOCKET_LOGGER = logging.getLogger("gatehouse.websocket")
SOCKET_LOGGER.setLevel(logging.WARNING)
ESTABLISHED = 1  # as Linux numbers the states of TCP
# So much of what has come is parsed at one turn: some twenty of the smallest frames, or half of a long message.
PIECE_BYTES = 512


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
        if (turn := charging.current()) is not None:
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
        # One that is refused is answered as well: its parts would tell each as an error, in a log that strangers fill.
        self.handshake_complete = self.handshake_complete or self.close_sent
        if self.close_sent and self._reading_out is None:
            self._reading_out = self.loop.create_task(self._read_out())

    async def _read_out(self) -> None:
        while not self.disconnected:
            await self._read_on()

    def shutdown(self) -> None:
        """The server ends."""
        with suppress(InvalidState):  # a client that closes in the same moment: raised, it would stop the server's end
            super().shutdown()
        self.transport.close()
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
