"""Connections to allowed addresses only: the address that was looked at is the one that is connected to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable

import httpcore
from httpcore import SOCKET_OPTION, AnyIOBackend, AsyncNetworkStream

MOST_ADDRESSES = 4


class ForbiddenAddressError(Exception):
    """The name leads to an address that may not be called; the message does not say which."""

    def __init__(self) -> None:
        super().__init__("The name leads to a private, loopback or link-local address.")


class GuardedNetwork(AnyIOBackend):
    """Resolves names itself, refuses addresses that may not be called, and connects to what it has resolved.

    A second look-up, which could say something else, never happens; TLS still asks for the name's certificate.
    """

    def __init__(self, is_allowed: Callable[[str], bool]) -> None:
        self._is_allowed = is_allowed

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        """Connect to the first of the name's addresses that answers. Raises ForbiddenAddressError."""
        failure: Exception | None = None
        for address in await self._addresses(host, port):
            try:
                return await super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError("The name has no address.")

    async def _addresses(self, host: str, port: int) -> list[str]:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        # One private address among public ones is a trap as well.
        if not all(map(self._is_allowed, addresses)):
            raise ForbiddenAddressError
        return addresses[:MOST_ADDRESSES]
