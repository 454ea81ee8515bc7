"""Ports that are held from when they are chosen to when a server listens on them."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest

from server.local import valkey
from server.transport.sockets import held_port, listen, port_of


def test_a_server_that_asks_for_it_listens_beside_its_holder_again_and_again() -> None:
    with held_port() as holder:
        for _ in range(2):
            with listen("127.0.0.1", port_of(holder)) as server, socket.create_connection(server.getsockname()):
                pass


def test_until_one_listens_whoever_calls_is_refused() -> None:
    with held_port() as holder, pytest.raises(ConnectionRefusedError):
        socket.create_connection(holder.getsockname())


def test_nobody_else_is_given_it() -> None:
    with held_port() as holder, socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(holder.getsockname())


def test_a_broker_that_has_died_keeps_its_port(tmp_path: Path) -> None:
    first = valkey.start(tmp_path)
    first.wait_until_ready()
    first.child.send_signal(signal.SIGKILL)
    first.child.wait()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", first.port))
    again = valkey.start(tmp_path, before=first)
    again.wait_until_ready()
    assert again.url == first.url
    again.stop()
