"""How many guesses there are, and by what those at a password are counted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from rules import often, throttling
from rules.throttling import Limits, Tally, address_key, password_key, reset_address_key, wrong_link_key

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
    assert throttling.source(address) == (address or "")[:64]


def test_an_email_is_counted_in_an_ipv6_household_as_well() -> None:
    assert throttling.network_key(EMAIL, "2001:db8:0:ff::1") == f"network:{EMAIL}:2001:db8::/56"
    assert throttling.network_key(EMAIL, "203.0.113.7") is None


def test_of_a_days_failures_the_powers_of_two_are_told() -> None:
    assert [count for count in range(-1, 40) if throttling.is_told(count)] == [1, 2, 4, 8, 16, 32]


def test_guesses_are_as_few_as_the_decision_says() -> None:
    """docs/decisions/guesses-are-charged-before-they-are-looked-at.md"""
    quarter, day = timedelta(minutes=15), timedelta(days=1)
    assert Limits((10, quarter), ((30, day), (100, timedelta(days=30)))) == throttling.SECOND_FACTOR
    assert Limits((10, quarter)) == throttling.PROVEN == throttling.STRANGER
    assert Limits((1, quarter)) == throttling.WATCHED_STRANGER
    assert Tally(100, day) == throttling.EMAIL_TALLY
    assert Tally(30, quarter) == throttling.NETWORK_TALLY
    assert Tally(900, quarter) == throttling.ADDRESS_TALLY
    assert throttling.CHALLENGE_ATTEMPTS == 5
    assert timedelta(minutes=5) == throttling.CHALLENGE_LIFETIME


def test_emails_that_anybody_may_ask_for_are_few() -> None:
    quarter, half_an_hour, hour, day = (
        timedelta(minutes=15),
        timedelta(minutes=30),
        timedelta(hours=1),
        timedelta(days=1),
    )
    assert Limits((5, quarter), ((10, day),)) == throttling.RESET
    assert Limits((50, quarter)) == throttling.RESET_ADDRESS == throttling.WRONG_LINK
    assert throttling.RESET_EMAIL.budgets == throttling.ENROLLMENT_LINK.budgets == ((3, half_an_hour),)
    assert (5, hour) == (often.OWN_ACTS_MAILED, often.OWN_ACT_SPAN)
    assert Limits((500, day)) == throttling.INVITATIONS
    assert hour == throttling.LOCK_MAIL_INTERVAL == throttling.VIEW_INTERVAL


def test_nothing_counts_longer_than_charges_are_kept() -> None:
    limits = [value for value in vars(throttling).values() if isinstance(value, Limits)]
    spans = [span for each in limits for _, span in (each.lock, *each.budgets)]
    assert max(spans) == timedelta(days=30) < throttling.LONGEST_SPAN
