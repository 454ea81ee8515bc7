"""Addresses to listen on."""

from __future__ import annotations

import os
import socket

BACKLOG = 2048
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what such an address is reached by from here


class ListenError(Exception):
    """The address cannot be listened on; the message is one plain sentence."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections at once; port 0 means any free one. Raises ListenError."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:
        # create_server adds to the system's own words; a name that is not found has no number of theirs.
        known = isinstance(error, OSError) and not isinstance(error, socket.gaierror) and error.errno
        reason = os.strerror(known) if known else "no such host"
        raise ListenError(f"Port {port} on {host} cannot be used: {reason[0].lower()}{reason[1:]}.") from None


def listen_near(host: str, port: int) -> socket.socket:
    """The same on the port, or else on any free one. Raises ListenError."""
    try:
        return listen(host, port)
    except ListenError:
        return listen(host, 0)


def inherited(descriptor: int) -> socket.socket:
    """A listening socket that whoever started us has bound, so that nobody else can take its port meanwhile."""
    return socket.socket(fileno=descriptor)


def port_of(listener: socket.socket) -> int:
    """The port that it listens on."""
    return int(listener.getsockname()[1])


def held_port() -> socket.socket:
    """A socket that holds a free port of loopback. Raises ListenError.

    While it is open, the system gives the port to nobody who asks for any. A server that asks for it by number, and
    reuses addresses as servers do, can listen on it: on Linux alone.
    """
    holder = socket.socket()
    try:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
    except OSError as error:
        holder.close()
        raise ListenError(f"No port of loopback can be had: {os.strerror(error.errno or 0).lower()}.") from None
    return holder
