"""Connections to allowed addresses only: the address that was looked at is the one that is connected to."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress

import httpcore
from httpcore import SOCKET_OPTION, AnyIOBackend, AsyncNetworkStream

MOST_ADDRESSES = 4
# Of these none ends before its resolver does: who asks no more has a thread all the same.
MOST_LOOK_UPS = 400

LookUp = Callable[[str, int], list[str]]


class ForbiddenAddressError(Exception):
    """The name leads to an address that may not be called; the message does not say which."""

    def __init__(self) -> None:
        super().__init__("The name leads to a private, loopback or link-local address.")


def addresses_of(host: str, port: int) -> list[str]:
    """The name's addresses, as this machine's resolver says. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Resolver:
    """Looks names up, each in a thread of its own that the process's end does not wait for.

    In the loop's own few threads, names whose servers never answer would hold up whatever else is looked up there:
    other endpoints, and the database.
    """

    def __init__(self, look_up: LookUp, most: int = MOST_LOOK_UPS) -> None:
        self._look_up = look_up
        self._free = threading.Semaphore(most)

    async def addresses(self, host: str, port: int) -> list[str]:
        """The name's addresses. Raises OSError and httpcore.ConnectError."""
        if not self._free.acquire(blocking=False):
            raise httpcore.ConnectError("Too many names are being looked up.")
        loop = asyncio.get_running_loop()
        came: asyncio.Future[list[str]] = loop.create_future()

        def work() -> None:
            try:
                found: list[str] | OSError = self._look_up(host, port)
            except OSError as error:
                found = error
            finally:
                self._free.release()
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(_settle, came, found)

        threading.Thread(target=work, name="look-up", daemon=True).start()
        return await came


def _settle(came: asyncio.Future[list[str]], found: list[str] | OSError) -> None:
    if came.done():
        return  # nobody waits any more
    if isinstance(found, OSError):
        came.set_exception(found)
    else:
        came.set_result(found)


class GuardedNetwork(AnyIOBackend):
    """Resolves names itself, refuses addresses that may not be called, and connects to what it has resolved.

    A second look-up, which could say something else, never happens; TLS still asks for the name's certificate.
    """

    def __init__(self, is_allowed: Callable[[str], bool], resolver: Resolver | None = None) -> None:
        self._is_allowed = is_allowed
        self._resolver = resolver or Resolver(addresses_of)

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
        addresses = await self._resolver.addresses(host, port)
        # One private address among public ones is a trap as well.
        if not all(map(self._is_allowed, addresses)):
            raise ForbiddenAddressError
        return addresses[:MOST_ADDRESSES]
