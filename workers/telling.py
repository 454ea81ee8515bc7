"""What emails are made of beside their templates, in the language of whoever gets them.

Alerts are kept as English sentences, each made of an event's own; they are found again by that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache

import languages
from rules.alerts import HEADLINES
from rules.events.alerts import DigestSent
from rules.events.base import LABEL
from rules.events.catalogue import EVENTS
from rules.people import Role

DOMAIN = "emails"
ROLES = {Role.MEMBER: "a member", Role.ADMIN: "an admin", Role.OWNER: "an owner"}
WHEN, IP_ADDRESS, BROWSER, BROWSER_ON_SYSTEM = "When", "IP address", "Browser", "%(browser)s on %(system)s"
AGENCY, NAMED_AGENCY = "agency", "agency %(name)s"
# Where a sentence is made with words of English, each with one of them.
CHANGED = {"required", "no longer requires"}
FACT = re.compile(r"\\\{(\w+)\\\}")
ENGLISH_DATE = "%d %B %Y"


def texts() -> Iterator[str | tuple[str, str]]:
    """All that stands in no template; a singular with its plural."""
    yield from (WHEN, IP_ADDRESS, BROWSER, BROWSER_ON_SYSTEM, AGENCY, NAMED_AGENCY)
    yield from ROLES.values()
    yield from HEADLINES.values()
    yield from DigestSent.KINDS
    for event in EVENTS:
        yield from (field.metadata[LABEL] for field in event.__dataclass_fields__.values() if LABEL in field.metadata)
    yield from _sentences()


def sentence(told: str, language: str) -> str:
    """An alert's sentence; English where it is none that is known."""
    for pattern, text in _patterns():
        if (found := pattern.fullmatch(told)) is not None:
            facts = {name: _fact(value, language) for name, value in found.groupdict().items()}
            return languages.texts(language, DOMAIN).gettext(text).format(**facts)
    return told


def lines(digest: DigestSent, language: str) -> list[str]:
    """What is open, each kind in a line."""
    ngettext = languages.texts(language, DOMAIN).ngettext
    return [ngettext(one, many, count) % {"count": count} for count, (one, many) in digest.counted()]


@cache
def _sentences() -> tuple[str, ...]:
    found: list[str] = []
    for event in EVENTS:
        if event.alert is not None:
            text = event.alert_sentence or event.sentence
            found += [text.replace("{changed}", word) for word in sorted(CHANGED)] if "{changed}" in text else [text]
    return tuple(dict.fromkeys(found))


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(FACT.sub(r"(?P<\1>.+?)", re.escape(text))), text) for text in _sentences())


def _fact(value: str, language: str) -> str:
    """A date in the language's own way; anything else as it is."""
    try:
        day = datetime.strptime(value, ENGLISH_DATE).replace(tzinfo=UTC)
    except ValueError:
        return value
    return languages.written_date(day, language)
