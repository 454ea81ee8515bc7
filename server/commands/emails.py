"""The command that shows every email without sending any."""

from __future__ import annotations

import re
from email.message import EmailMessage
from html import escape
from pathlib import Path

import click

import rules.events.catalogue
import settings as settings_module
from db.alerts import Heard
from rules.alerts import AlertKind
from rules.events.alerts import AlertRaised
from rules.events.base import Event
from rules.events.catalogue import EVENTS
from rules.events.mailing import Audience, Mailing
from rules.events.mfa import MfaDisabled
from rules.events.samples import AT
from rules.events.signing_in import MfaChallengeLocked
from rules.events.stored import Stored
from rules.events.webhooks import WebhookAdded
from rules.languages import ENGLISH, LANGUAGES
from rules.links import SAMPLE_TOKEN
from server.local.mailbox import shown_html
from settings import Settings

# What the samples of alerts tell of.
HAPPENED = {
    AlertKind.MFA_DISABLED: MfaDisabled,
    AlertKind.LOCKED: MfaChallengeLocked,
    AlertKind.POLICY_CHANGED: WebhookAdded,
}
ACCOUNT, OTHER_ACCOUNT = "Riverbend Studio", "Hillside Studio"
PUBLIC_URL = "https://gatehouse.example.com"
PAGES = ("/sign-in", "/account/security", "/settings/security")
INDEX = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>The emails of Gatehouse</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.5rem; }}
ul {{ padding: 0; list-style: none; }}
li {{ margin: 1rem 0; }}
small {{ display: block; overflow-wrap: anywhere; }}
</style>
<h1>The emails of Gatehouse</h1>
<ul>
{items}
</ul>
</html>
"""
ITEM = '<li><a href="{name}.html">{subject}</a> (<a href="{name}.txt">text</a>)<small>{name}</small></li>'


@click.group()
def emails() -> None:
    """The emails that Gatehouse sends."""


@emails.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--language", type=click.Choice(LANGUAGES), default=ENGLISH, help="In which language.")
def preview(directory: Path, language: str) -> None:
    """Write every email, with sample facts, into DIRECTORY; open its index.html."""
    directory.mkdir(parents=True, exist_ok=True)
    mails = sample_mails(settings_module.load(), language).items()
    for name, mail in mails:
        (directory / f"{name}.html").write_text(shown_html(mail), encoding="utf-8")
        text = f"Subject: {mail['Subject']}\n\n{_text_of(mail)}"
        (directory / f"{name}.txt").write_text(text, encoding="utf-8")
    items = "\n".join(ITEM.format(name=name, subject=escape(mail["Subject"])) for name, mail in mails)
    (directory / "index.html").write_text(INDEX.format(items=items), encoding="utf-8")
    click.echo(f"Wrote {len(mails)} emails. Open {directory / 'index.html'} in a browser.")


def sample_mails(settings: Settings, language: str = ENGLISH) -> dict[str, EmailMessage]:
    """Every email to Mia, as the product looks, by the name of its sample."""
    return {name: sample_mail(event, settings, copy, language) for name, (event, copy) in emailed_samples().items()}


def emailed_samples() -> dict[str, tuple[Event, Mailing | None]]:
    """What there is an email of, by its name: an event, and the copy of it that owners get or None."""
    found = [sample for event in EVENTS for sample in rules.events.catalogue.samples(event).items()]
    mails = {name: (event, None) for name, event in found if event.emailed_as() is not None}
    copies = {
        f"{name}_owners": (event, event.copy)
        for name, event in found
        if event.copy and event.copy.audience is Audience.OWNERS
    }
    return {**mails, **copies}


def sample_mail(event: Event, settings: Settings, copy: Mailing | None = None, language: str = ENGLISH) -> EmailMessage:
    """The email of one event, or its `copy`, to Mia."""
    from workers.emails import Brand, Facts, PageUrls, render

    mailing = copy or event.emailed_as()
    assert mailing is not None
    facts = Facts(
        event=event,
        occurred_at=AT,
        account_name=ACCOUNT if event.account_id is not None else None,
        recipient="mia@example.com",
        delivery_id=1,
        public_url=PUBLIC_URL,
        sender="no-reply@gatehouse.example.com",
        pages=PageUrls(*(PUBLIC_URL + path for path in PAGES)),
        brand=Brand.of(settings),
        links={
            link.purpose: link.url(PUBLIC_URL, PUBLIC_URL + PAGES[1], SAMPLE_TOKEN)
            for link in (mailing.link, *mailing.further_links)
            if link is not None
        },
        language=language,
        heard=_heard(event) if isinstance(event, AlertRaised) else (),
    )
    return render(mailing.message, facts)


def _heard(alert: AlertRaised) -> tuple[Heard, ...]:
    """What a sample of an alert tells of; two people are of two agencies."""
    event, *_ = rules.events.catalogue.samples(HAPPENED[alert.kind]).values()
    people = re.findall(r"\S+@\S+", " ".join(alert.told))
    names = (ACCOUNT, OTHER_ACCOUNT) if alert.kind is AlertKind.MFA_DISABLED else (ACCOUNT,)
    return tuple(
        Heard(Stored.of(event), email, email, (names[number % len(names)],), alert.count)
        for number, email in enumerate(people)
    )


def _text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert isinstance(body, EmailMessage)
    content: str = body.get_content()
    return content
