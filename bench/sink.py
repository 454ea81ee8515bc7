"""Two mail servers that keep nothing but when each message came, each in a process of its own.

One is aiosmtpd, a whole server; the other answers as fast as a process can, so that the sender alone is measured,
and takes commands together, as most servers do.
"""

from __future__ import annotations

import asyncio
import time
from multiprocessing.connection import Connection

import uvloop
from aiosmtpd.smtp import SMTP, Envelope, Session

REPLIES = {
    b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}
END = b"\r\n.\r\n"


class Quick(asyncio.Protocol):
    """One connection to the quick one."""

    def __init__(self, arrived: list[float]) -> None:
        self.arrived = arrived
        self.buffer = b""
        self.is_body = False

    def connection_made(self, transport: asyncio.WriteTransport) -> None:  # type: ignore[override]
        """Greet."""
        self.transport = transport
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer every command, and every message as a whole."""
        self.buffer += data
        while self.buffer:
            end = END if self.is_body else b"\r\n"
            line, found, rest = self.buffer.partition(end)
            if not found:
                return
            self.buffer = rest
            if self.is_body:
                self.is_body = False
                self.arrived.append(time.monotonic())
                self.transport.write(b"250 taken\r\n")
            else:
                verb = line[:4].upper()
                self.is_body = verb == b"DATA"
                self.transport.write(REPLIES.get(verb, b"250 ok\r\n"))


class Whole:
    """What aiosmtpd does with a message here."""

    def __init__(self, arrived: list[float]) -> None:
        self.arrived = arrived

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take it."""
        self.arrived.append(time.monotonic())
        return "250 taken"


def serve(pipe: Connection, is_quick: bool) -> None:
    """Send the port, then for every true word the times at which messages have arrived; end with a false one."""
    arrived: list[float] = []

    def connected() -> asyncio.Protocol:
        return Quick(arrived) if is_quick else SMTP(Whole(arrived), hostname="localhost", ident="sink")

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        while await asyncio.to_thread(pipe.recv):
            pipe.send(list(arrived))
            arrived.clear()
        server.close()

    uvloop.run(run())
