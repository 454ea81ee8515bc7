"""By what guesses at a password are counted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rules.throttling import address_key, password_key, reset_address_key, wrong_link_key

EMAIL = "mia@agency.example"


def keys(address: str | None) -> tuple[str, str]:
    """The throttles of a guess from this address."""
    return password_key(EMAIL, address), address_key(address)


def test_all_addresses_that_one_client_has_in_ipv6_are_one() -> None:
    assert keys("2001:db8:0:1::1") == keys("2001:db8:0:1:ffff:ffff:ffff:ffff") == keys("2001:db8:0:1::1%eth0")
    assert keys("2001:db8:0:1::1") != keys("2001:db8:0:2::1")


@pytest.mark.parametrize("of_all", [address_key, reset_address_key, wrong_link_key])
def test_what_is_counted_of_an_address_over_everybody_is_counted_of_a_households_56(
    of_all: Callable[[str | None], str],
) -> None:
    assert of_all("2001:db8:0:1::1") == of_all("2001:db8:0:ff::1") != of_all("2001:db8:0:100::1")
    assert of_all("203.0.113.7") != of_all("203.0.113.8")


def test_an_ipv4_address_is_one_however_it_is_written() -> None:
    assert keys("203.0.113.7") == keys("::ffff:203.0.113.7")
    assert keys("203.0.113.7") != keys("203.0.113.8")


@pytest.mark.parametrize("address", [None, "", "unknown", "x" * 500])
def test_what_is_no_address_is_counted_as_it_stands(address: str | None) -> None:
    assert all(len(key) <= 400 for key in keys(address))
    assert keys(address) != keys("203.0.113.7")
