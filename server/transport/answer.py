"""An answer in JSON as it goes over the wire, its head made of parts that are made once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from starlette.types import Receive, Scope, Send

VARY = (b"vary", b"Accept")


class Answer:
    """An ASGI answer: a body of JSON in one piece."""

    def __init__(self, body: bytes, media_type: str, status: int, headers: Iterable[tuple[str, str]] = ()) -> None:
        self.body = body
        self.status = status
        self.headers = [
            _content_type(media_type),
            (b"content-length", b"%d" % len(body)),
            VARY,
            *((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


@cache  # of our own media types, whatever a client asks for
def _content_type(media_type: str) -> tuple[bytes, bytes]:
    return b"content-type", f"{media_type}; charset=utf-8".encode()
