"""Emails look as the product does: its name, its logo, its colour in both schemes, and still nothing is loaded."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from server.local.mailbox import shown_html
from settings import Settings
from tests.emails.rendering import FACTS, mail_of, part
from workers.emails import LARGEST_LOGO_BYTES, Brand
from workers.letters import Letter

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def brand(**settings: object) -> Brand:
    return Brand.of(Settings(product_name="Ledger & Co", accent_color="#ffcc00", **settings))  # type: ignore[arg-type]


def test_a_product_puts_its_name_and_colour_on_emails() -> None:
    mail = mail_of(sender="no-reply@ledger.example", brand=brand())
    assert mail["From"] == "Ledger & Co <no-reply@ledger.example>"
    assert part(mail, "plain").endswith("\n\nLedger & Co\n")
    html = part(mail, "html")
    assert re.search(r'<td class="name"[^>]*>Ledger &amp; Co</td>', html)
    # Readable on white, and as it was chosen on dark.
    assert re.search(r'class="button"[^>]* style="[^"]*background: #8a6e00', html)
    assert ".button { background: #ffcc00 !important; color: #0c111d !important; }" in html
    assert "Gatehouse" not in html


def test_a_sender_with_a_name_keeps_it() -> None:
    assert mail_of(sender="Ledger Security <a@ledger.example>", brand=brand())["From"].startswith("Ledger Security <")


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_the_logo_comes_along_in_the_mail(tmp_path: Path, suffix: str) -> None:
    logo = tmp_path / f"logo{suffix}"
    logo.write_bytes(PNG)
    letter = Letter("mfa_enabled", replace(FACTS, brand=brand(logo_file=logo)))
    mail = message_from_bytes(letter.to("mia@agency.example", 7).content, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    assert re.search(r'<img [^>]*src="cid:logo" alt="Ledger &amp; Co"', part(mail, "html"))
    (picture,) = [each for each in mail.walk() if each.get_content_maintype() == "image"]
    assert (picture.get_payload(decode=True), picture["Content-ID"]) == (PNG, "<logo>")
    assert f'src="data:image/{suffix[1:]};base64,' in shown_html(mail)


@pytest.mark.parametrize(("name", "size"), [("logo.svg", 10), ("logo.png", LARGEST_LOGO_BYTES + 1)])
def test_what_mail_clients_do_not_show_and_what_is_large_stays_a_name(tmp_path: Path, name: str, size: int) -> None:
    (tmp_path / name).write_bytes(bytes(size))
    mail = mail_of(brand=brand(logo_file=tmp_path / name))
    assert "<img" not in part(mail, "html")
    assert [each.get_content_type() for each in mail.walk()][1:] == ["text/plain", "text/html"]
