"""The conversation with a mail server, of which each word costs a way there and back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from workers.letters import Mail
from workers.mailer import Mailer
from workers.verdicts import RefusedError, ServerError

UNKNOWN, TAKEN = "550 5.1.1 nobody", "250 taken"
BODY = b"Subject: x\r\n\r\nx\r\n"


class Server:
    """A mail server that says nothing to a sender before it has heard the recipient, too."""

    def __init__(self, sender: str = "250 yes") -> None:
        self.port = 0
        self.sender = sender
        self.connections = 0
        self.taken: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        self.connections += 1
        recipient = ""
        writer.write(b"220 here\r\n")
        while line := (await reader.readline()).decode().strip():
            word = line.split()[0].upper()
            if word == "EHLO":
                answer = "250-here\r\n250 PIPELINING"
            elif word == "MAIL":
                recipient = (await reader.readline()).decode().strip().removeprefix("RCPT TO:<").removesuffix(">")
                answer = f"{self.sender}\r\n{UNKNOWN if recipient.startswith('nobody@') else '250 yes'}"
            elif word == "DATA":
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                self.taken.append(recipient)
                answer = TAKEN
            else:
                answer = "250 yes"
            writer.write(f"{answer}\r\n".encode())
        writer.close()


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[Mailer]:
    """The server, and a mailer that is connected to it."""
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    mailer = Mailer(f"smtp://127.0.0.1:{listening.sockets[0].getsockname()[1]}", "localhost")
    try:
        await asyncio.to_thread(mailer.connect)
        yield mailer
    finally:
        await asyncio.to_thread(mailer.close)
        listening.close()


async def send(mailer: Mailer, recipient: str) -> bool:
    """Hand a mail over; whether the recipient was taken before its body was to leave."""
    marked: list[bool] = []
    try:
        mail = Mail("a@gatehouse.example", recipient, BODY)
        await asyncio.to_thread(mailer.send, mail, lambda: marked.append(True))
    except RefusedError as error:
        assert str(error) == UNKNOWN
    return bool(marked)


async def test_sender_and_recipient_go_together_to_a_server_that_takes_them_so() -> None:
    server = Server()
    async with running(server) as mailer:
        assert await send(mailer, "mia@agency.example")
        assert not await send(mailer, "nobody@agency.example")
        assert await send(mailer, "adam@agency.example")
    assert (server.taken, server.connections) == (["mia@agency.example", "adam@agency.example"], 1)


async def test_a_sender_refused_that_went_with_the_recipient_is_told_in_the_servers_words() -> None:
    server = Server("451 not now")
    async with running(server) as mailer:
        with pytest.raises(ServerError, match=r"^451 not now$"):
            await send(mailer, "mia@agency.example")
    assert server.taken == []
