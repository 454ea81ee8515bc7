"""TOTP against RFC 6238 appendix B, and what a person may type."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rules import totp

SECRET = b"12345678901234567890"

# RFC 6238 appendix B, SHA-1: seconds since the epoch, and the last 6 of its 8 digits.
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]
NOW = datetime.fromtimestamp(1111111111, UTC)
STEP = 1111111111 // 30


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_the_vectors_of_rfc_6238_match_at_their_step(seconds: int, code: str) -> None:
    assert totp.matching_step(SECRET, code, datetime.fromtimestamp(seconds, UTC)) == seconds // 30


@pytest.mark.parametrize(("offset", "matches"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_one_step_of_drift_is_tolerated_either_way(offset: int, matches: bool) -> None:
    now = NOW + timedelta(seconds=30 * offset)
    assert totp.matching_step(SECRET, "050471", now) == (STEP if matches else None)


@pytest.mark.parametrize("last_step", [STEP, STEP + 1, STEP + 5])
def test_a_spent_step_and_every_earlier_one_never_match(last_step: int) -> None:
    assert totp.matching_step(SECRET, "050471", NOW, last_step) is None


def test_a_later_step_than_the_spent_one_matches() -> None:
    assert totp.matching_step(SECRET, "050471", NOW, STEP - 1) == STEP


@pytest.mark.parametrize(
    "typed",
    ["050 471", " 050471 ", "0 5 0 4 7 1", "050-471", "050–471", "٠٥٠٤٧١", "０５０４７１", "050\u200b471\ufeff"],
)
def test_spaces_dashes_invisible_marks_and_the_script_of_digits_do_not_matter(typed: str) -> None:
    assert totp.matching_step(SECRET, typed, NOW) == STEP


@pytest.mark.parametrize("typed", ["", "05047", "0504711", "05047a", "-50471", "050471\0", "••••••", "050471.0"])
def test_what_is_not_six_digits_never_matches(typed: str) -> None:
    assert totp.normalize(typed) is None
    assert totp.matching_step(SECRET, typed, NOW) is None


@pytest.mark.parametrize(("offset", "skew"), [(4, -120), (-4, 120), (10, -300), (-10, 300), (11, None), (-11, None)])
def test_a_code_right_at_another_time_tells_how_far_the_clock_is_off(offset: int, skew: int | None) -> None:
    assert totp.clock_skew_s(SECRET, "050471", NOW + timedelta(seconds=30 * offset)) == skew


def test_the_uri_spells_out_every_parameter_and_escapes_the_email() -> None:
    uri = totp.provisioning_uri(SECRET, "mia+mfa@agency.example", "Task Juice")
    assert uri == (
        "otpauth://totp/Task%20Juice:mia%2Bmfa%40agency.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        "&issuer=Task%20Juice&algorithm=SHA1&digits=6&period=30"
    )


def test_a_slash_or_colon_in_an_email_does_not_end_the_label() -> None:
    uri = totp.provisioning_uri(SECRET, "a/b:c?d@agency.example", "Task/Juice")
    assert uri.startswith("otpauth://totp/Task%2FJuice:a%2Fb%3Ac%3Fd%40agency.example?secret=")


def test_a_secret_has_160_bits_and_a_quarter_of_an_hour_to_be_verified() -> None:
    assert totp.SECRET_BYTES * 8 == 160  # RFC 4226, section 4, R6
    assert timedelta(minutes=15) == totp.ENROLLMENT_LIFETIME


def test_the_manual_entry_key_is_the_secret_in_groups_of_four() -> None:
    assert totp.manual_entry_key(SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"


@pytest.mark.parametrize(
    ("offset", "last_step", "past"),
    [
        (0, STEP, True),  # spent
        (-1, STEP, True),
        (0, STEP - 1, False),  # good
        (1, STEP - 1, False),
        (2, STEP - 1, True),  # too old
        (10, STEP - 1, True),
        (11, STEP - 1, False),
        (-2, STEP - 1, False),  # right later: nothing is told
        (-9, STEP - 1, False),
    ],
)
def test_a_code_is_past_when_it_is_spent_or_too_old(offset: int, last_step: int, past: bool) -> None:
    assert totp.is_past(SECRET, "050471", NOW + timedelta(seconds=30 * offset), last_step) is past
