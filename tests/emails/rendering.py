"""The sample emails, and emails with facts of a test's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from email.message import EmailMessage

from rules.events.catalogue import samples
from rules.events.mfa import MfaEnabled
from rules.events.policy import PolicyEnabled
from rules.events.samples import AT
from rules.languages import ENGLISH
from server.commands.emails import PAGES, emailed_samples, sample_mail
from settings import Settings
from workers.emails import Brand, Facts, PageUrls, render


class SampleMails(Mapping[str, EmailMessage]):
    """The sample emails in a language by their names, each made when it is asked for: to list the tests takes none."""

    def __init__(self, language: str = ENGLISH) -> None:
        self._language = language
        self._samples = emailed_samples()
        self._made: dict[str, EmailMessage] = {}

    def __getitem__(self, name: str) -> EmailMessage:
        if name not in self._made:
            event, copy = self._samples[name]
            self._made[name] = sample_mail(event, Settings(), copy, self._language)
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._samples

    def __iter__(self) -> Iterator[str]:
        return iter(self._samples)

    def __len__(self) -> int:
        return len(self._samples)


MAILS = SampleMails()
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
    pages=PageUrls(*(f"https://gatehouse.example.com{path}" for path in PAGES)),
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
    pages = PageUrls(*(public_url + path for path in PAGES))
    return render("policy_enabled", Facts(event, AT, account_name, recipient, 1, public_url, sender, pages, brand))
