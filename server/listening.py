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


def free_port(host: str = "127.0.0.1", preferred: int = 0) -> int:
    """A port that is free now: the preferred one, or else any. Raises ListenError."""
    try:
        with listen(host, preferred) as listener:
            return int(listener.getsockname()[1])
    except ListenError:
        if not preferred:
            raise
        return free_port(host)
