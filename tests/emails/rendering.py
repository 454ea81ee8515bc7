"""The sample emails, and emails with facts of a test's own."""

from __future__ import annotations

from email.message import EmailMessage

from rules.events.catalogue import samples
from rules.events.mfa import MfaEnabled
from rules.events.policy import PolicyEnabled
from rules.events.samples import AT
from server.commands.emails import PAGES, sample_mails
from settings import Settings
from workers.emails import Brand, Facts, Pages, render

MAILS = sample_mails(Settings())
BRAND = Brand.of(Settings())
LONGEST_ADDRESS = f"{'m' * 64}@{'a' * 61}.{'b' * 61}.{'c' * 61}.de"

FACTS = Facts(
    event=samples(MfaEnabled)["mfa_enabled"],
    occurred_at=AT,
    account_name="Riverbend Studio",
    recipient="",
    delivery_id=0,
    public_url="https://gatehouse.example.com",
    sender="Gatehouse <no-reply@gatehouse.example.com>",
    pages=Pages(*(f"https://gatehouse.example.com{path}" for path in PAGES)),
    brand=BRAND,
)


def part(mail: EmailMessage, kind: str) -> str:
    """The plain or html alternative, as a reader gets it."""
    body = mail.get_body((kind,))
    assert isinstance(body, EmailMessage)
    content: str = body.get_content()
    return content.replace("\r\n", "\n")


def mail_of(
    account_name: str = "Riverbend Studio",
    recipient: str = "mia@example.com",
    sender: str = "Gatehouse <no-reply@gatehouse.example.com>",
    public_url: str = "https://gatehouse.example.com",
    brand: Brand = BRAND,
) -> EmailMessage:
    """The email of a policy, which names the account."""
    event = samples(PolicyEnabled)["policy_enabled"]
    pages = Pages(*(public_url + path for path in PAGES))
    return render("policy_enabled", Facts(event, AT, account_name, recipient, 1, public_url, sender, pages, brand))
