"""Ports that are a test's own before anybody listens on them: no other run of the tests is given one meanwhile."""

from __future__ import annotations

import socket

from server.transport.sockets import held_port, port_of

# Open until this process ends.
_holders: list[socket.socket] = []


def own_port() -> int:
    """A free port that the system gives to nobody else; until one listens on it, whoever calls is refused."""
    _holders.append(held_port())
    return port_of(_holders[-1])


def own_ports(count: int) -> int:
    """The first of so many in a row."""
    while True:
        first, others = own_port(), []
        try:
            for number in range(1, count):
                holder = socket.socket()
                others.append(holder)
                holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                holder.bind(("127.0.0.1", first + number))
        except (OSError, OverflowError):
            for holder in others:
                holder.close()
        else:
            _holders.extend(others)
            return first
