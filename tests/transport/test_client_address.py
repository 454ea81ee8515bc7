"""Whom a request comes from, as guessing is counted by it: behind a proxy only what the proxy itself says counts."""

from __future__ import annotations

import pytest
from starlette.requests import HTTPConnection

from server.context import client_address
from settings import Settings

PROXY, CLIENT = "10.0.0.1", "203.0.113.7"


def address_of(peer: str, *lines: str, trusted: str = "10.0.0.0/8") -> str | None:
    """The client's address, by the X-Forwarded-For lines of a request from `peer`."""
    headers = [(b"x-forwarded-for", line.encode()) for line in lines]
    connection = HTTPConnection({"type": "http", "headers": headers, "client": (peer, 1234)})
    return client_address(connection, Settings.model_validate({"trusted_proxies": trusted}))


def test_without_a_proxy_it_is_the_peer() -> None:
    assert address_of(CLIENT) == CLIENT
    assert address_of(CLIENT, "198.51.100.1") == CLIENT
    assert address_of(PROXY, CLIENT, trusted="") == PROXY


@pytest.mark.parametrize("made_up", ["198.51.100.1", "10.0.0.9", "198.51.100.1, 10.0.0.9", "nonsense"])
def test_what_a_client_says_of_itself_is_not_believed_in_the_same_line_or_its_own(made_up: str) -> None:
    assert address_of(PROXY, f"{made_up}, {CLIENT}") == CLIENT
    assert address_of(PROXY, made_up, CLIENT) == CLIENT


def test_several_proxies_are_passed_through() -> None:
    assert address_of(PROXY, f"198.51.100.1, {CLIENT}, 10.1.1.1, 10.2.2.2") == CLIENT
