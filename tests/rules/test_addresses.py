"""One form for each address, however it is typed, and a reason for what is none."""

from __future__ import annotations

import pytest

from rules import addresses

JOSE = "jos\u00e9@ex\u00e4mple.com"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Mia@Agency.Example\t", "mia@agency.example"),
        ("\ufeffmia@agency.example\u200b", "mia@agency.example"),
        ("jose\u0301@exa\u0308mple.com", JOSE),
        ("JOS\u00c9@xn--exmple-cua.com", JOSE),
        ("mia@\uff41gency.example", "mia@agency.example"),
        ("o'hara+mfa@example.com", "o'hara+mfa@example.com"),
        ("\u0438\u0432\u0430\u043d@\u043f\u043e\u0447\u0442\u0430.\u0440\u0444", "иван@почта.рф"),
        ("水木@example.jp", "水木@example.jp"),
        ("mia水木@example.jp", "mia水木@example.jp"),
        ("mia@agency.test", "mia@agency.test"),
    ],
)
def test_an_address_is_kept_and_looked_up_in_one_form(typed: str, kept: str) -> None:
    assert addresses.checked(typed) == kept
    assert addresses.normalized(typed) == kept
    assert addresses.checked(kept) == kept


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "must have an @-sign"),
        ("a@b", "must be a whole domain"),
        ("mia@agency.example.", "cannot end with a period"),
        ("mia@a b.example", "SPACE"),
        ("\uff4d\uff49\uff41@agency.example", "full-width or special letters: write 'mia'"),
        ("\ufb01n@agency.example", "full-width or special letters: write 'fin'"),
        ("m\u0456a@agency.example", "mixes alphabets"),
        ("\u0430\u0441\u0435@agency.example", "letters that look like others"),
        ("m\u0131a@agency.example", "letters that look like others"),
        ("mia@g\u0430tehouse.com", "mixes alphabets"),
        ("mia@[203.0.113.7]", "bracketed"),
        ('"mia"@agency.example', "Quoting"),
    ],
)
def test_what_is_no_address_or_imitates_another_is_refused_with_the_reason(typed: str, reason: str) -> None:
    with pytest.raises(addresses.NotAnAddressError, match=reason):
        addresses.checked(typed)


@pytest.mark.parametrize(
    "typed", ["", "@", "no address", "a@b", "x" * 5000, "mia@" + "ä" * 300, "\ud83d@agency.example"]
)
def test_whatever_is_typed_can_be_looked_up(typed: str) -> None:
    assert addresses.normalized(typed) == addresses.normalized(addresses.normalized(typed))


def test_a_domain_of_more_labels_than_one_can_have_is_not_put_into_order() -> None:
    label, ordered = "xn--tda", "\u00fc"
    assert addresses.normalized("mia@" + ".".join([label] * 31)) == "mia@" + ".".join([ordered] * 31)
    for more in (label, ordered):
        assert addresses.normalized("mia@" + ".".join([more] * 32)) == "mia@" + ".".join([more] * 32)


def test_a_domain_is_kept_in_the_form_in_which_it_stands_in_addresses() -> None:
    for around in ("{}", " {}", "{} ", "\u200b {}", "{} \u200b"):
        assert addresses.checked_domain(around.format("Agency.Example")) == "agency.example"
    assert addresses.checked_domain("xn--exmple-cua.com") == "exämple.com"
    for typed in ("mia@agency.example", "agency", ""):
        with pytest.raises(addresses.NotAnAddressError):
            addresses.checked_domain(typed)
