"""Bodies of requests, bounded in size and time."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.requests import ClientDisconnect, Request

from server.transport.graphql_request import RequestError

MAX_BODY_BYTES = 256 * 1024
BODY_TIMEOUT_S = 10.0
DRAIN_S = 1.0


async def read(request: Request) -> bytes:
    """The whole body. Raises RequestError when it is too large or too slow."""
    too_large = RequestError(f"The body is larger than {MAX_BODY_BYTES // 1024} KiB.", 413)
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and (len(length) > 9 or int(length) > MAX_BODY_BYTES):
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise too_large
    except TimeoutError:
        raise RequestError(f"The body took longer than {BODY_TIMEOUT_S:.0f} seconds.", 408) from None
    return bytes(body)


async def drain(request: Request) -> None:
    """Read on for a moment: a connection closed amid the body would lose the answer as well."""
    with suppress(TimeoutError, RuntimeError, ClientDisconnect):
        async with asyncio.timeout(DRAIN_S):
            async for _ in request.stream():
                pass
