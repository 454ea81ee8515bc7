"""What is typed, at its longest: what is made of a text takes no longer than a text for anybody may."""

from __future__ import annotations

from rules import addresses, passwords, totp, typed

DECOMPOSED, COMPOSED = "e\u0301", "\u00e9"


def test_what_is_too_long_for_anything_is_not_composed() -> None:
    for form in (typed.visible, typed.password):
        assert form(DECOMPOSED * 500) == COMPOSED * 500
        assert form(DECOMPOSED * 501) == DECOMPOSED * 501


def test_what_is_too_long_for_a_code_is_none() -> None:
    assert totp.normalize("1 2 3 4 5 6" + " " * 989) == "123456"
    assert totp.normalize("1 2 3 4 5 6" + " " * 990) is None


def test_what_is_too_long_for_an_address_is_not_looked_at() -> None:
    domain, spelled = "b\u00fccher.example", "xn--bcher-kva.example"
    assert addresses.normalized(f"{'A' * 298}@{spelled}") == f"{'a' * 298}@{domain}"
    assert addresses.normalized(f"{'A' * 299}@{spelled}") == f"{'a' * 299}@{spelled}"


def test_what_is_too_long_for_a_password_is_told_so() -> None:
    assert passwords.problem_with(DECOMPOSED * 501, email="mia@agency.example") == (
        "The password must have at most 1,000 characters."
    )
