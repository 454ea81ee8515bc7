"""HTTP to a provider, bounded in size; what bounds it in time is around each use."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2

MOST_BYTES = 512 * 1024
TIMEOUT_S = 5.0
LIMITS = httpx2.Limits(max_connections=100, max_keepalive_connections=5)


class TooLargeError(httpx2.TransportError):
    """The provider's answer is larger than any that is meant."""


class BoundedTransport(httpx2.AsyncBaseTransport):
    """Reads no more of an answer than `most_bytes`."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._inner = httpx2.AsyncHTTPTransport(limits=LIMITS, trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request. Raises TransportError."""
        # Compressed, a small answer could become a large one.
        request.headers["accept-encoding"] = "identity"
        response = await self._inner.handle_async_request(request)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Bounded(response.stream, self._most_bytes)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, most_bytes: int) -> None:
        self._stream = stream
        self._most_bytes = most_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for chunk in self._stream:
            read += len(chunk)
            if read > self._most_bytes:
                raise TooLargeError("The answer is too large.")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class Borrowed(httpx2.AsyncBaseTransport):
    """A transport that outlives the clients which use it."""

    def __init__(self, inner: BoundedTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request. Raises TransportError."""
        return await self._inner.handle_async_request(request)
