"""A proxy before the test's PostgreSQL, that changes what the server says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit


@asynccontextmanager
async def rewriting(database_url: str, old: bytes, new: bytes) -> AsyncIterator[str]:
    """Replace `old` by `new`, of the same length, in whatever the server says; the URL of that server."""
    assert len(old) == len(new)
    parts = urlsplit(database_url)
    (folder,) = parse_qs(parts.query)["host"]

    async def pipe(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, change: tuple[bytes, bytes] | None
    ) -> None:
        while data := await reader.read(65536):
            writer.write(data.replace(*change) if change else data)
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")
        await asyncio.gather(pipe(reader, server_writer, None), pipe(server_reader, writer, (old, new)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    yield f"postgresql://{parts.username}@{host}:{port}{parts.path}"
    server.close()
