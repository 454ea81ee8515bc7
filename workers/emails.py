"""The emails: a folder of templates for each message, rendered to text and HTML with the facts of its event."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import css_inline
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

LONGEST_NAME = 60
# Control, line-break, zero-width and bidirectional characters: what could break a header or fake a text.
UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)

_inliner = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)


@dataclass(frozen=True)
class Facts:
    """What a message is made of: its event, its account, whom it goes to, and our own addresses."""

    event_type: str
    occurred_at: datetime
    data: dict[str, Any]
    account_name: str | None
    recipient: str
    delivery_id: int
    public_url: str
    sender: str


def render(message: str, facts: Facts) -> EmailMessage:
    """The email of one delivery; `message` names the template folder. The same delivery gives the same Message-ID."""
    values = _values(facts)
    mail = EmailMessage()
    name, address = parseaddr(facts.sender)
    mail["From"] = Address(name, addr_spec=address)
    mail["To"] = Address(addr_spec=clean(facts.recipient, 254))
    mail["Subject"] = clean(_template(f"{message}/subject.txt").render(values), 200)
    mail["Date"] = format_datetime(facts.occurred_at.astimezone(UTC))
    mail["Message-ID"] = _message_id(facts)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_template(f"{message}/body.txt").render(values).strip() + "\n", cte="quoted-printable")
    html = _inliner.inline(_template(f"{message}/body.html").render(values))
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    return mail


def clean(text: str, longest: int = LONGEST_NAME) -> str:
    """Text that people chose, made safe to show: one line, no control or bidirectional characters, not too long."""
    text = " ".join(UNSAFE.sub(" ", text).split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def written_date(instant: str | datetime) -> str:
    """A date written out, in UTC: 1 December 2026."""
    moment = _utc(instant)
    return f"{moment.day} {moment:%B %Y}"


def written_time(instant: str | datetime) -> str:
    """A date and time written out: 24 November 2026, 14:03 UTC."""
    return f"{written_date(instant)}, {_utc(instant):%H:%M} UTC"


def browser_name(user_agent: str | None) -> str | None:
    """'Firefox on Linux', as far as a user agent tells; None when it tells neither."""
    text = user_agent or ""
    browser = next((name for mark, name in BROWSERS if mark in text), None)
    system = next((name for mark, name in SYSTEMS if mark in text), None)
    return f"{browser} on {system}" if browser and system else browser or system


def _values(facts: Facts) -> dict[str, Any]:
    data = facts.data
    return {
        "account": clean(facts.account_name) if facts.account_name else "Your agency",
        "recipient": clean(facts.recipient, 254),
        "occurred_at": written_time(facts.occurred_at),
        "browser": browser_name(data.get("userAgent")),
        "ip_address": clean(data["ipAddress"]) if data.get("ipAddress") else None,
        "security_url": f"{facts.public_url.rstrip('/')}/account/security",
        "data": data,
    }


def _message_id(facts: Facts) -> str:
    host = urlsplit(facts.public_url).hostname or "localhost"
    digest = hashlib.sha256(f"{facts.public_url} {facts.delivery_id}".encode()).hexdigest()[:16]
    return f"<delivery-{facts.delivery_id}.{digest}@{host}>"


def _utc(instant: str | datetime) -> datetime:
    moment = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return moment.astimezone(UTC)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("workers"),
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["date"] = written_date
    environment.filters["time"] = written_time
    return environment


@cache
def _template(name: str) -> Any:
    return _environment().get_template(name)
