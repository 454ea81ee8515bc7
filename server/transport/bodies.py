"""Bodies of requests, bounded in size and time."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.requests import ClientDisconnect, Request

from rules.failures import RateLimited
from server.transport.arriving import Body
from server.transport.graphql_request import RequestError
from server.transport.heads import heads
from server.transport.held import TOO_MUCH
from server.transport.patience import PATIENCE

MAX_BODY_BYTES = 256 * 1024
DRAIN_S = 1.0
# Stands in the scope of a request whose body has arrived: reading it waits for nothing, and needs no limit in time.
WHOLE = "gatehouse.whole"


async def read(request: Request, place: Body, within_s: float = PATIENCE.body_s) -> bytes:
    """The whole body. Raises RequestError when it is too large or too slow, and RateLimited when it has to give way."""
    _refuse_too_large(request)
    body = bytearray()
    try:
        async with asyncio.timeout(within_s) as limit:
            with place.on_its_way(limit):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > MAX_BODY_BYTES:
                        raise _too_large()
    except TimeoutError:
        if place.gave_way:
            raise RateLimited(TOO_MUCH) from None
        raise RequestError(f"The body took longer than {within_s:.0f} seconds.", 408) from None
    return bytes(body)


async def whole(request: Request) -> bytes:
    """A body that has arrived. Raises RequestError when it is too large."""
    _refuse_too_large(request)
    message = await request.receive()
    if message["type"] != "http.request":
        raise ClientDisconnect
    body: bytes = message["body"]
    if len(body) > MAX_BODY_BYTES:
        raise _too_large()
    return body


def _refuse_too_large(request: Request) -> None:
    length = heads(request.scope).get("content-length", "")
    if length.isascii() and length.isdigit() and (len(length) > 9 or int(length) > MAX_BODY_BYTES):
        raise _too_large()


def _too_large() -> RequestError:
    return RequestError(f"The body is larger than {MAX_BODY_BYTES // 1024} KiB.", 413)


async def drain(request: Request) -> None:
    """Read on for a moment: a connection closed amid the body would lose the answer as well."""
    with suppress(TimeoutError, RuntimeError, ClientDisconnect):
        async with asyncio.timeout(DRAIN_S):
            async for _ in request.stream():
                pass
