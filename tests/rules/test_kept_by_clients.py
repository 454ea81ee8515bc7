"""What clients keep for us and bring back: cursors, device cookies, and what they have begun at a provider."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from rules import cursor, devices, oidc
from rules.failures import BadUserInput
from rules.oidc import SignInProblem
from rules.sealing import KeyRing

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
RING = KeyRing({"new": b"n" * 32, "old": b"o" * 32})
OLD = KeyRing({"old": b"o" * 32})
MIA, ADAM = UUID(int=1), UUID(int=2)


def randomness(byte: bytes, count: int = devices.RANDOM_BYTES) -> bytes:
    return byte * count


def test_a_cursor_leads_back_to_its_place_under_any_key_that_is_held() -> None:
    place = ["mia@agency.example", "ü"]
    assert cursor.decode(RING, "staff", cursor.encode(RING, "staff", place)) == place
    assert cursor.decode(RING, "staff", cursor.encode(OLD, "staff", place)) == place


def test_a_cursor_of_another_list_or_made_up_or_changed_is_refused() -> None:
    made = cursor.encode(RING, "staff", ["1"])
    flipped = ("A" if made[0] != "A" else "B") + made[1:]
    for wrong in ("", "ü", made + "x", made + "=", f" {made}", flipped, made[:16], "A" * 1001, "AAAA" * 4):
        with pytest.raises(BadUserInput):
            cursor.decode(RING, "staff", wrong)
    with pytest.raises(BadUserInput):
        cursor.decode(RING, "audit", made)
    with pytest.raises(BadUserInput):
        cursor.decode(KeyRing({"new": b"x" * 32}), "staff", made)


def test_a_cursor_may_be_as_long_as_a_thousand_characters() -> None:
    whole = ["x" * 733]
    made = cursor.encode(RING, "s", whole)
    assert len(made) == 1000
    assert cursor.decode(RING, "s", made) == whole
    with pytest.raises(BadUserInput):
        cursor.decode(RING, "s", cursor.encode(RING, "s", ["x" * 736]))


def test_a_device_is_known_for_180_days_by_one_name_and_for_its_own_person_alone() -> None:
    kept = devices.remember(RING, None, MIA, NOW, randomness(b"a"))
    name = devices.known_as(RING, kept, MIA, NOW)
    assert name == "61" * 16
    assert devices.known_as(RING, kept, ADAM, NOW) is None
    assert devices.known_as(RING, kept, MIA, NOW + devices.LIFETIME - SECOND) == name
    assert devices.known_as(RING, kept, MIA, NOW + timedelta(days=180)) is None
    again = devices.remember(RING, kept, MIA, NOW + timedelta(days=179), randomness(b"b"))
    assert devices.known_as(RING, again, MIA, NOW + timedelta(days=200)) == name
    too_late = devices.remember(RING, kept, MIA, NOW + timedelta(days=180), randomness(b"b"))
    assert devices.known_as(RING, too_late, MIA, NOW + timedelta(days=180)) == "62" * 16
    assert devices.known_as(RING, devices.remember(OLD, None, MIA, NOW, randomness(b"a")), MIA, NOW) == name


def test_a_device_that_was_seen_before_an_instant_may_be_known_no_more_and_is_from_then_on() -> None:
    later = NOW + timedelta(milliseconds=1)
    kept = devices.remember(RING, None, MIA, NOW, randomness(b"a"))
    assert devices.known_as(RING, kept, MIA, later, NOW) == "61" * 16
    assert devices.known_as(RING, kept, MIA, later, later) is None
    again = devices.remember(RING, kept, MIA, later, randomness(b"b"), later)
    assert devices.known_as(RING, again, MIA, later, later) == "61" * 16
    seen = devices.remember(RING, again, MIA, later, randomness(b"b"))
    assert devices.known_as(RING, seen, MIA, later, later) == "61" * 16


def test_a_cookie_knows_four_people_and_forgets_the_one_who_came_first() -> None:
    people = [UUID(int=n) for n in range(1, 6)]
    kept: str | None = None
    for each in people:
        kept = devices.remember(RING, kept, each, NOW, randomness(each.bytes[-1:]))
    known = [devices.known_as(RING, kept, each, NOW) is not None for each in people]
    assert known == [False, True, True, True, True]
    assert kept is not None
    assert kept.count(".") == 4
    kept = devices.remember(RING, kept, people[2], NOW, randomness(b"x"))
    assert kept.count(".") == 4


def test_a_cookie_tells_us_alone_and_under_any_key_who_has_signed_in_last() -> None:
    kept = devices.remember(OLD, None, MIA, NOW, randomness(b"a"))
    assert devices.whose(RING, kept) == MIA
    kept = devices.remember(RING, kept, ADAM, NOW, randomness(b"b"))
    assert devices.whose(RING, kept) == ADAM
    assert devices.whose(KeyRing({"new": b"x" * 32}), kept) is None
    # An entry of somebody's own, and a cookie of the version before, tell nobody.
    assert devices.whose(RING, kept.rpartition(".")[0]) is None
    assert devices.whose(RING, "A" + kept) == ADAM
    assert devices.whose(RING, kept[:-6] + "AAAAAA") is None


@pytest.mark.parametrize("cookie", [None, "", "x", "ü.ü", "a" * 1001, ".".join(["AAAA"] * 50)])
def test_what_is_no_device_cookie_knows_nobody(cookie: str | None) -> None:
    assert devices.known_as(RING, cookie, MIA, NOW) is None
    assert devices.whose(RING, cookie) is None


def test_what_was_begun_at_a_provider_comes_back_to_this_browser_for_ten_minutes() -> None:
    begun = oidc.begin("google", "/account", NOW, bytes(range(oidc.RANDOM_BYTES)))
    secrets = {begun.state, begun.nonce, begun.verifier}
    assert [len(each) for each in secrets] == [43] * 3  # of 32 bytes each
    kept = oidc.sealed(RING, begun, b"0" * 12)
    late = NOW + timedelta(minutes=10) - SECOND
    assert oidc.opened(RING, kept, "google", begun.state, late) == begun
    assert oidc.opened(RING, oidc.sealed(OLD, begun, b"0" * 12), "google", begun.state, NOW) == begun
    for cookie, provider, state, now in (
        (kept, "google", begun.state, NOW + timedelta(minutes=10)),
        (kept, "okta", begun.state, NOW),
        (kept, "google", replace(begun, state="other").state, NOW),
        (kept + "A" * 4000, "google", begun.state, NOW),
        (kept[:-4], "google", begun.state, NOW),
        (None, "google", begun.state, NOW),
    ):
        with pytest.raises(SignInProblem):
            oidc.opened(RING, cookie, provider, state, now)


def test_a_program_is_known_again_in_its_network_whatever_its_version() -> None:
    known = devices.digest("Firefox/140.0", "203.0.113.0/24")
    assert known == devices.digest("Firefox/141.0.2", "203.0.113.0/24")
    assert known != devices.digest("Chrome/140.0", "203.0.113.0/24")
    assert known != devices.digest("Firefox/140.0", "198.51.100.0/24")
    assert devices.digest(None, "x") == devices.digest("", "x")


def test_what_goes_wrong_at_a_provider_is_said_with_its_name() -> None:
    provider = oidc.ProviderConfig("acme_sso", "https://acme.example", "x", "y")
    assert oidc.sentence("failed", provider.title) == "Signing in at Acme Sso did not work. Try again."
    assert oidc.sentence("other", provider.title) is None
    assert str(SignInProblem("failed")) == "failed"
    assert str(SignInProblem("failed", "because")) == "because"
    by = ("https://acme.example", "1", None, False)
    assert oidc.Identity(*by, ("pwd", "mfa")).has_second_factor
    assert not oidc.Identity(*by, ("pwd",)).has_second_factor
