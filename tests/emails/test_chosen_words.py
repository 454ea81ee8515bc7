"""What people chose (account names, addresses, browsers) can neither break a header nor fake a text."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from tests.emails.rendering import LONGEST_ADDRESS, mail_of, part
from workers.wording import LINK_MARKS, UNSAFE, browser_name, clean, quoted

HEADERS = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress"]
HEADERS += ["MIME-Version", "Content-Type"]
TRICKS = {
    "a carriage return and line feed": "Riverbend\r\nBcc: x@evil.example\r\n\r\nHello",
    "a line feed alone": "Riverbend\nBcc: x@evil.example",
    "a vertical tab and form feed": "Riverbend\x0bBcc: x\x0c",
    "a next line": "Riverbend\x85Bcc: x@evil.example",
    "a line and paragraph separator": "Riverbend\u2028Bcc: x\u2029y",
    "an override of the direction": "Riverbend \u202eelpmaxe\u202c",
    "an isolate": "Riverbend \u2067elpmaxe\u2069",
    "a mark of direction": "River\u200fbend\u061c",
    "invisible characters": "River\u200b\u2060\ufeff\xad\u180e\u3164bend",
    "tags": "Riverbend\U000e0042\U000e0063",
    "a lone surrogate": "River\ud83dbend",
    "a null": "River\x00bend",
}


def wire_of(mail: EmailMessage) -> bytes:
    return mail.as_bytes(policy=policy.SMTP.clone(utf8=not mail["To"].isascii()))


def received(mail: EmailMessage) -> EmailMessage:
    parsed = message_from_bytes(wire_of(mail), policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


@pytest.mark.parametrize("name", TRICKS.values(), ids=TRICKS)
def test_no_account_name_adds_a_header_or_a_line_or_hides_a_character(name: str) -> None:
    mail = received(mail_of(account_name=name))
    assert mail.keys() == HEADERS
    for kind in ("plain", "html"):
        lines = part(mail, kind).split("\n")
        assert len(lines) == len(part(mail_of(), kind).split("\n"))
        assert not any(UNSAFE.search(line.replace("\u200c", "")) for line in lines)


@pytest.mark.parametrize("name", TRICKS.values(), ids=TRICKS)
def test_no_sender_name_adds_a_header(name: str) -> None:
    mail = received(mail_of(sender=f'"{name}" <no-reply@gatehouse.example.com>'))
    assert mail.keys() == HEADERS
    assert not UNSAFE.search(mail["From"])


@pytest.mark.parametrize(
    "recipient",
    [
        "mia@example.com\r\nBcc: x@evil.example",
        "mia@example.com\nBcc: x@evil.example",
        "mia@example.com\u2028Bcc: x@evil.example",
        "mia@example.com, x@evil.example",
        "Mia <mia@example.com>",
        "staff: mia@example.com, x@evil.example;",
        "mia\u202e@example.com",
        "mia@example.com\x00",
        "=?utf-8?q?mia=0d=0aBcc:?=@example.com",
        "m" * 243 + "@example.com",
        "nobody",
    ],
)
def test_a_recipient_that_is_not_one_plain_address_gets_no_mail(recipient: str) -> None:
    with pytest.raises(ValueError, match=r"address|Header values"):
        mail_of(recipient=recipient)


@pytest.mark.parametrize("recipient", [LONGEST_ADDRESS, "míà@exámple.com", "o'hara+mfa@example.com"])
def test_every_right_address_reaches_the_header_and_the_greeting_whole(recipient: str) -> None:
    assert len(recipient) <= 254
    mail = mail_of(recipient=recipient)
    assert f"\r\nTo: {recipient}\r\n".encode() in wire_of(mail)
    assert part(mail, "plain").startswith(f"Hello {recipient},\n")


def test_a_name_is_shown_with_60_characters_at_most() -> None:
    assert clean("W" * 60) == "W" * 60
    assert clean("W" * 61) == "W" * 59 + "…"
    assert f'Your agency "{"W" * 59}…" now requires' in part(mail_of(account_name="W" * 200), "plain")


def test_a_name_in_markup_is_text() -> None:
    html = part(mail_of(account_name='<a href="//evil">Riverbend</a>{{ 7 * 7 }}'), "html")
    assert set(re.findall(r'href="([^"]*)"', html)) == {"https://gatehouse.example.com/account/security"}
    assert "{{ 7 * 7 }}" in html


def test_a_name_cannot_close_its_quotation() -> None:
    assert quoted('Riverbend" has closed. “Bye') == "\"Riverbend' has closed. 'Bye\""


@pytest.mark.parametrize("name", ["https://evil.example/x", "www.evil.example", "x@evil.example", "evil.example"])
def test_a_name_that_looks_like_a_link_becomes_none_in_a_mail_client(name: str) -> None:
    text = part(mail_of(account_name=name), "plain")
    assert not re.search(r"//\w+\.?evil|evil\.example|@evil", text)
    assert name in text.replace("\u200c", "")


def test_ordinary_names_are_shown_as_they_are() -> None:
    for name in ("Riverbend Studio", "St. Pauli & Co.", "Müller, Söhne", "水木 広告", "O'Hara"):
        assert quoted(name) == f'"{name}"'
        assert not LINK_MARKS.search(name)


def test_where_an_admin_sat_is_told_in_no_mail_about_a_policy() -> None:
    for kind in ("plain", "html"):
        assert not re.search(r"203\.0\.113\.7|Firefox|IP address", part(mail_of(), kind))


def test_a_browser_is_told_by_our_names_for_it_alone() -> None:
    assert browser_name("Mozilla/5.0 (Windows NT 10.0) Chrome/142.0 Safari/537.36 Edg/142.0") == "Edge on Windows"
    assert browser_name("Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) Safari/604.1") == "Safari on iPhone"
    assert browser_name("Firefox/145.0\r\nBcc: x" + "x" * 4000) == "Firefox"
    assert browser_name("<b>evil.example</b>") is None
    assert browser_name(None) is None
