"""Which languages there are, and which of them a browser prefers."""

from __future__ import annotations

import re
from functools import lru_cache

import rules.voice

ENGLISH = "en"
NAMES = {
    ENGLISH: rules.voice.later("English"),
    "de": rules.voice.later("German"),
    "es": rules.voice.later("Spanish"),
    "fr": rules.voice.later("French"),
    "pt": rules.voice.later("Portuguese"),
}
LANGUAGES = tuple(NAMES)
# Set by the pages once they know whose they are.
COOKIE = "gatehouse-language"
LONGEST_HEADER = 1000
MOST_KEPT = 200
RANGE = re.compile(r"\s*([a-z]{1,8})(?:-[a-z0-9-]{0,30})?\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*", re.IGNORECASE)


def accepted(header: str | None) -> str:
    """The language that an Accept-Language header prefers among ours; English where it names none of them."""
    return _preferred(header[:LONGEST_HEADER]) if header else ENGLISH


@lru_cache(MOST_KEPT)  # browsers of one kind send the same
def _preferred(header: str) -> str:
    found = [RANGE.fullmatch(part) for part in header.split(",")]
    wanted = [(float(each[2] or 1), each[1].lower()) for each in found if each]
    ours = [(quality, language) for quality, language in wanted if language in LANGUAGES and quality > 0]
    return max(ours, key=lambda each: each[0], default=(1.0, ENGLISH))[1]


def chosen(kept: str | None, header: str | None) -> str:
    """The person's language, as their browser keeps it, or else the one that it prefers."""
    return kept if kept is not None and kept in LANGUAGES else accepted(header)
