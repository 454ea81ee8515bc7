"""The emails: a folder of templates for each message, rendered to text and HTML with the facts of its event."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address, HeaderRegistry
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from functools import cache, partial
from typing import Any
from urllib.parse import urlsplit

import css_inline
import idna
from jinja2 import Environment, TemplateNotFound

import languages.templates
from db.alerts import Heard
from rules.branding import Accent
from rules.events.alerts import AlertRaised, DigestSent
from rules.events.base import ROLES, Event, OwnAct
from rules.events.mailing import While
from rules.events.mfa import MfaReset
from rules.events.policy import Requirement
from rules.events.resets import MfaResetRequested
from rules.events.staff import StaffInvited
from rules.languages import ENGLISH
from rules.links import REJECTING, Purpose
from rules.standing import LONGEST_REASON
from settings import Settings
from workers import telling
from workers.wording import LONGEST_LINE, browser_name, clean, quoted

LONGEST_SENDER = 1000
# Mail clients show no SVG.
MAILED_LOGOS = {".png", ".webp"}
LARGEST_LOGO_BYTES = 64 * 1024
LOGO_ID = "logo"
BLANK_LINES = re.compile(r"\n{3,}")
_inliner = css_inline.CSSInliner(load_remote_stylesheets=False)


class _Headers(HeaderRegistry):
    """The standard headers, with each one's class made once and not for every mail: a third of the time of a mail."""

    def __init__(self) -> None:
        super().__init__()
        self._classes: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._classes:
            self._classes[name] = super().__getitem__(name)
        return self._classes[name]


_policy = EmailPolicy(header_factory=_Headers())


@dataclass(frozen=True)
class PageUrls:
    """Where people find what emails speak of."""

    sign_in: str
    security: str
    agency_security: str


@dataclass(frozen=True)
class Brand:
    """How the product's emails look: its name, its accent colour, and its logo with its kind, if mails carry one."""

    product: str
    accent: Accent
    logo: bytes | None
    logo_kind: str

    @classmethod
    @cache
    def of(cls, settings: Settings) -> Brand:
        """The look that the settings give. A logo comes along in each mail, since nothing is loaded from elsewhere."""
        kind = settings.logo_file.suffix.lower() if settings.logo_file else ""
        logo = settings.logo_file.read_bytes() if settings.logo_file and kind in MAILED_LOGOS else None
        is_small = logo is not None and len(logo) <= LARGEST_LOGO_BYTES
        return cls(clean(settings.product), Accent.of(settings.accent_color), logo if is_small else None, kind[1:])


@dataclass(frozen=True)
class Facts:
    """What a message is made of: its event, its account, whom it goes to, our own addresses, and the product's look.

    `links` are the URLs of those that work once, as far as the message has any that hold; `heard` is what an alert
    tells of.
    """

    event: Event
    occurred_at: datetime
    account_name: str | None
    recipient: str
    delivery_id: int
    public_url: str
    sender: str
    pages: PageUrls
    brand: Brand
    links: Mapping[Purpose, str] = field(default_factory=dict)
    language: str = ENGLISH
    heard: tuple[Heard, ...] = ()


def render(message: str, facts: Facts) -> EmailMessage:
    """The email of one delivery; `message` names the template folder. The same delivery gives the same Message-ID.

    Raises ValueError for a recipient that is not one plain address.
    """
    values = _values(message, facts)
    values["subject"] = clean(_template(f"{message}/subject.txt", facts.language).render(values), LONGEST_LINE)
    mail = EmailMessage(policy=_policy)
    mail["From"] = Address(values["sender_name"], addr_spec=on_the_wire(values["sender_address"]))
    mail["To"] = on_the_wire(facts.recipient)
    if [one.addr_spec for one in mail["To"].addresses if one.domain] != [on_the_wire(values["recipient"])]:
        raise ValueError("The recipient is not one plain address.")
    mail["Subject"] = values["subject"]
    mail["Date"] = format_datetime(facts.occurred_at.astimezone(UTC))
    mail["Message-ID"] = message_id(facts)
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"  # Exchange goes by this one
    # A block that ends in a tag swallows the line's end, so the layout leaves more blank lines than are wanted.
    text = BLANK_LINES.sub("\n\n", _template(f"{message}/body.txt", facts.language).render(values))
    mail.set_content(text.strip() + "\n", cte="quoted-printable")
    html = _inliner.inline(_template(f"{message}/body.html", facts.language).render(values))
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    if facts.brand.logo is not None:
        body = mail.get_body(("html",))
        assert isinstance(body, EmailMessage)
        body.add_related(facts.brand.logo, "image", facts.brand.logo_kind, cid=f"<{LOGO_ID}>", disposition="inline")
    return mail


def knows(message: str) -> bool:
    """Whether there are templates of this message."""
    try:
        return bool(_template(f"{message}/subject.txt", ENGLISH))
    except TemplateNotFound:
        return False


def _values(message: str, facts: Facts) -> dict[str, Any]:
    # An alert may be of another account of theirs than the one that it was raised in.
    account_name = next(iter(telling.agencies(facts.heard)), facts.account_name)
    account, _ = clean(account_name or ""), languages.texts(facts.language, telling.DOMAIN).gettext
    # Made one line first: from Python 3.13 on, what holds a line break is read as no address at all.
    name, address = parseaddr(clean(facts.sender, LONGEST_SENDER))
    client = facts.event.client if isinstance(facts.event, OwnAct) else None
    return {
        **_of_event(facts),
        "language": facts.language,
        "agency": _(telling.NAMED_AGENCY) % {"name": quoted(account)} if account else _(telling.AGENCY),
        "recipient": clean(facts.recipient, LONGEST_LINE),
        "sender_name": clean(name) or facts.brand.product,
        "sender_address": address,
        "occurred_at": facts.occurred_at,
        "rows": _rows(message, facts),
        "device": browser_name(client.user_agent, _(telling.BROWSER_ON_SYSTEM)) if client else None,
        "address": clean(client.ip_address or "") if client else None,
        "sign_in_url": facts.pages.sign_in,
        "action_url": next(
            (url for purpose, url in facts.links.items() if purpose not in REJECTING), _page(message, facts)
        ),
        "not_me_url": next((facts.links[purpose] for purpose in REJECTING if purpose in facts.links), None),
        "event": facts.event,
        "product": facts.brand.product,
        "brand": facts.brand,
        "logo_id": LOGO_ID,
    }


def _of_event(facts: Facts) -> dict[str, Any]:
    """What events of this type alone have words for."""
    event = facts.event
    match event:
        case AlertRaised():
            told = telling.sentences(event, facts.heard, facts.language)
            headline, count = telling.headline(event, facts.heard, facts.language), telling.count(event, facts.heard)
            is_of_several = len(telling.agencies(facts.heard)) > 1
            return {"told": told, "headline": headline, "count": count, "is_of_several": is_of_several}
        case DigestSent():
            return {"lines": telling.lines(event, facts.language)}
        case MfaReset() | MfaResetRequested() if event.reason:
            return {"reason": quoted(event.reason, LONGEST_REASON)}
        case StaffInvited():
            return {"role": languages.texts(facts.language, telling.DOMAIN).gettext(ROLES[event.role])}
    return {"reason": None}


def _page(message: str, facts: Facts) -> str:
    return facts.pages.agency_security if _is_about_others(message, facts.event) else facts.pages.security


def _is_about_others(message: str, event: Event) -> bool:
    mailing = event.copy if event.copy and event.copy.message == message else event.emailed_as()
    return mailing is not None and mailing.holds_while in {While.OWNER, While.MANAGER, While.MANAGER_OF_ANY}


def _rows(message: str, facts: Facts) -> list[tuple[str, str]]:
    event, _ = facts.event, languages.texts(facts.language, telling.DOMAIN).gettext
    rows = [(_(label), languages.written_time(instant, facts.language)) for label, instant in event.labelled()]
    if not isinstance(event, Requirement):
        rows.insert(0, (_(telling.WHEN), languages.written_time(facts.occurred_at, facts.language)))
    if isinstance(event, OwnAct) and not _is_about_others(message, event):  # where a colleague sits, no mail tells
        rows.append((_(telling.IP_ADDRESS), clean(event.client.ip_address or "")))
        browser = browser_name(event.client.user_agent, _(telling.BROWSER_ON_SYSTEM))
        rows.append((_(telling.BROWSER), browser or ""))
    return [(label, value) for label, value in rows if value]


def on_the_wire(address: str) -> str:
    """The address with its domain in ASCII, which any server takes; a local part in other letters asks for SMTPUTF8."""
    local, at, domain = address.rpartition("@")
    if not local.isascii() or domain.isascii():
        return address
    try:
        return local + at + idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return address


def message_id(facts: Facts) -> str:
    """Derived from the delivery, so that a mail that comes twice is the same one to a mailbox."""
    # The instant as well: a database made anew counts its deliveries from 1 again.
    host = urlsplit(facts.public_url).hostname or "localhost"
    domain = f"[{host}]" if ":" in host else host
    return f"<delivery-{facts.delivery_id}.{int(facts.occurred_at.timestamp())}@{domain}>"


@cache
def _environment(language: str) -> Environment:
    environment = languages.templates.environment("workers", telling.DOMAIN, language)
    environment.filters["date"] = partial(languages.written_date, language=language)
    environment.filters["time"] = partial(languages.written_time, language=language)
    return environment


@cache
def _template(name: str, language: str) -> Any:
    return _environment(language).get_template(name)
