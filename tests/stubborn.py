"""A mail server that hangs, drips or drops the connection at one word of the conversation, and is well otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

COMMANDS = ["banner", "EHLO", "STARTTLS", "handshake", "AUTH", "MAIL", "RCPT", "DATA", "dot"]
MANNERS = ["hang", "drip", "drop"]
OFFERED = {"STARTTLS": "STARTTLS", "handshake": "STARTTLS", "AUTH": "AUTH PLAIN"}
DRIP_EVERY_S = 0.2
REPLIES = {
    "banner": "220 stubborn",
    "EHLO": "250 stubborn",
    "STARTTLS": "220 go ahead",
    "AUTH": "235 it is you",
    "MAIL": "250 yes",
    "RCPT": "250 yes",
    "RSET": "250 yes",
    "DATA": "354 go ahead",
    "dot": "250 taken",
    "QUIT": "221 bye",
}


class Stubborn:
    """What it does at which word; `manner` may be taken back: then it is well."""

    def __init__(self, word: str, manner: str) -> None:
        self.word = word
        self.manner: str | None = manner
        self.url = ""
        self.reached = 0
        self.words: list[str] = []
        self.names: list[str] = []
        self.senders: list[str] = []
        self.recipients: list[str] = []
        self.taken: list[bytes] = []
        self.refusals: dict[str, str] = {}
        self._under_way: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        self._under_way[asyncio.current_task()] = writer
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            del self._under_way[asyncio.current_task()]

    async def end(self) -> None:
        """Drop the connections that a client has kept, so that none is left to the loop's end."""
        for writer in self._under_way.values():
            writer.transport.abort()
        await asyncio.gather(*(task for task in self._under_way if task))

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._reply("banner", reader, writer)
        while line := (await reader.readline()).decode():
            word = line.split(None, 1)[0].upper()
            self.words.append(word)
            if word == "EHLO":
                self.names.append(line.split()[1])
            if word == "MAIL":
                self.senders.append(line.partition("<")[2].partition(">")[0])
            if word == "RCPT":
                self.recipients.append(line.partition("<")[2].partition(">")[0])
            await self._reply(word, reader, writer)
            if word == "STARTTLS":
                await self._reply("handshake", reader, writer)
            if word == "DATA":
                body = await reader.readuntil(b"\r\n.\r\n")
                await self._reply("dot", reader, writer)
                self.taken.append(body)
            if word == "QUIT":
                return

    async def _reply(self, word: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if word == self.word and self.manner is not None:
            self.reached += 1
            await self._be_stubborn(REPLIES.get(word, "220")[:3], reader, writer)
        if word == "EHLO":
            offered = {"STARTTLS": "STARTTLS", "handshake": "STARTTLS", "AUTH": "AUTH PLAIN"}.get(
                self.word, "PIPELINING"
            )
            writer.write(f"250-stubborn\r\n250 {offered}\r\n".encode())
        elif word in REPLIES:
            writer.write(f"{self.refusals.get(word, REPLIES[word])}\r\n".encode())

    async def _be_stubborn(self, code: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.manner == "drop":
            writer.transport.abort()
            raise ConnectionResetError
        gone = asyncio.ensure_future(reader.read())
        while not gone.done():
            if self.manner == "drip":
                # In the handshake it is the beginning of a record of TLS, a byte at a time.
                writer.write(b"\x16" if self.word == "handshake" else f"{code}-wait\r\n".encode())
                await writer.drain()
            await asyncio.wait([gone], timeout=DRIP_EVERY_S)
        raise ConnectionResetError


@asynccontextmanager
async def stubborn(word: str, manner: str) -> AsyncIterator[Stubborn]:
    """Such a server, and its URL, which asks for what leads to the word."""
    server = Stubborn(word, manner)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    scheme = "smtp+starttls" if word in {"STARTTLS", "handshake"} else "smtp"
    login = "gatehouse:secret@" if word == "AUTH" else ""
    server.url = f"{scheme}://{login}127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()
        await server.end()
