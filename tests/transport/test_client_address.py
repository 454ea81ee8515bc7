"""Whom a request comes from, as guessing is counted by it: behind a proxy only what the proxy itself says counts."""

from __future__ import annotations

import logging

import pytest
from starlette.requests import HTTPConnection

from server import context
from server.context import client_address
from server.transport.addresses import address_key
from settings import Settings
from settings.checks import networks

PROXY, CLIENT = "10.0.0.1", "203.0.113.7"


def address_of(peer: str, *lines: str, trusted: str = "10.0.0.0/8") -> str | None:
    """The client's address, by the X-Forwarded-For lines of a request from `peer`."""
    headers = [(b"x-forwarded-for", line.encode()) for line in lines]
    connection = HTTPConnection({"type": "http", "headers": headers, "client": (peer, 1234)})
    return client_address(connection, Settings(trusted_proxies=networks(trusted)))


def test_without_a_proxy_it_is_the_peer() -> None:
    assert address_of(CLIENT) == CLIENT
    assert address_of(CLIENT, "198.51.100.1") == CLIENT
    assert address_of(PROXY, CLIENT, trusted="") == PROXY


@pytest.mark.parametrize("made_up", ["198.51.100.1", "10.0.0.9", "198.51.100.1, 10.0.0.9", "nonsense"])
def test_what_a_client_says_of_itself_is_not_believed_in_the_same_line_or_its_own(made_up: str) -> None:
    assert address_of(PROXY, f"{made_up}, {CLIENT}") == CLIENT
    assert address_of(PROXY, made_up, CLIENT) == CLIENT


@pytest.mark.parametrize(
    ("hop", "address"),
    [
        ("203.0.113.5:4001", "203.0.113.5"),
        ("[2001:db8::1]:4001", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:0db8:0::0001", "2001:db8::1"),
        ("nonsense", PROXY),
        ("203.0.113.5:port", PROXY),
        ("unknown", PROXY),
    ],
)
def test_a_port_makes_no_other_client_and_what_is_no_address_is_the_proxy(hop: str, address: str) -> None:
    assert address_of(PROXY, hop) == address


def test_a_proxy_that_is_not_trusted_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    context._told.clear()  # whom other tests met
    caplog.set_level(logging.WARNING)
    others = "10.7.7.7"
    for _ in range(3):
        assert address_of(others, CLIENT, trusted="") == others
    [record] = [record for record in caplog.records if "GATEHOUSE_TRUSTED_PROXIES" in record.getMessage()]
    assert others in record.getMessage()


def test_an_ipv6_line_counts_as_its_64() -> None:
    assert address_key("2001:db8::1") == address_key("2001:db8::ffff:1") != address_key("2001:db8:0:1::1")
    assert address_key("::ffff:192.0.2.1") == address_key("192.0.2.1") != address_key("192.0.2.2")


def test_several_proxies_are_passed_through() -> None:
    assert address_of(PROXY, f"198.51.100.1, {CLIENT}, 10.1.1.1, 10.2.2.2") == CLIENT
