"""The languages that people read: translated texts out of the catalogues, and dates as each language writes them.

A catalogue is a file of gettext's, catalogues/LANGUAGE/DOMAIN.po. It is read when it is first needed, so that there is
nothing to be compiled. What it has no text for stays English. Babel is loaded when it is first needed, too: a process
that writes no dates and meets English alone does without its 3 MiB.
"""

from __future__ import annotations

import gettext
import io
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import rules.voice
from rules.languages import ENGLISH
from rules.messages import FOR_PEOPLE
from rules.voice import Voice

EVENTS = "events"
CATALOGUES = Path(__file__).parent / "catalogues"
# Whose dates they are: 1 December 2026.
FACT = re.compile(r"\\\{(\w+)\\\}")
LOCALES = {ENGLISH: "en_GB"}


@cache
def texts(language: str, domain: str) -> gettext.NullTranslations:
    """The texts of a domain in this language."""
    if language == ENGLISH:
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    with (CATALOGUES / language / f"{domain}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def written_date(instant: datetime, language: str = ENGLISH) -> str:
    """A date written out, in UTC: 1 December 2026."""
    from babel.dates import format_date

    return format_date(instant.astimezone(UTC).date(), "long", LOCALES.get(language, language))


def written_time(instant: datetime, language: str = ENGLISH) -> str:
    """A date and time written out: 24 November 2026, 14:03 UTC."""
    return f"{written_date(instant, language)}, {instant.astimezone(UTC):%H:%M} UTC"


class Translated(Voice):
    """What is said of events, in another language."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._texts = texts(language, EVENTS)

    def text(self, text: str) -> str:
        """Its translation."""
        return self._texts.gettext(text)

    def count(self, count: int, one: str, many: str) -> str:
        """The translation for as many."""
        return self._texts.ngettext(one, many, count)

    def date(self, instant: datetime) -> str:
        """1. Dezember 2026."""
        return written_date(instant, self._language)


@cache
def voice(language: str) -> Voice:
    """The voice of this language."""
    return rules.voice.ENGLISH if language == ENGLISH else Translated(language)


def told(message: str, language: str) -> str:
    """A message to a person in their language, found by its English; what is none of these stays as it is."""
    if language == ENGLISH:
        return message
    for pattern, text in _patterns():
        if (found := pattern.fullmatch(message)) is not None:
            return texts(language, "messages").gettext(text).format(**found.groupdict())
    return message


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    # What is said word for word goes before what may be filled in, and what says more before what says less.
    texts = sorted(FOR_PEOPLE, key=lambda text: ("{" in text, -len(text)))
    return tuple((re.compile(FACT.sub(r"(?P<\1>.*?)", re.escape(text))), text) for text in texts)
