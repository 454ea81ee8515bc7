"""The words of emails: what people chose made safe to show, and browsers by their names."""

from __future__ import annotations

import re

LONGEST_NAME = 60
LONGEST_LINE = 254
# Control, line-break, invisible and bidirectional characters: what could break a header or fake a text.
UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164"
    r"\ud800-\udfff\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
QUOTATION_MARKS = re.compile('["“”„‟″＂]')
# Between these and what follows, a mail client would see an address of the web or of a mailbox.
LINK_MARKS = re.compile(r"(?<=[.:/@])(?=\S)")
NON_JOINER = "\u200c"
# The first mark found is the name: a browser's user agent names those that it descends from, too.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def clean(text: str, longest: int = LONGEST_NAME) -> str:
    """Text that people chose, made safe to show: one line, no control or bidirectional characters, not too long."""
    text = " ".join(UNSAFE.sub(" ", text).split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def quoted(name: str, longest: int = LONGEST_NAME) -> str:
    """A name in quotation marks, which it cannot close, and without anything that a mail client makes a link of."""
    name = QUOTATION_MARKS.sub("'", clean(name, longest))
    return f'"{LINK_MARKS.sub(NON_JOINER, name)}"'


def browser_name(user_agent: str | None, both: str = "%(browser)s on %(system)s") -> str | None:
    """'Firefox on Linux', as far as a user agent tells; None when it tells neither."""
    text = user_agent or ""
    browser = next((name for mark, name in BROWSERS if mark in text), None)
    system = next((name for mark, name in SYSTEMS if mark in text), None)
    return both % {"browser": browser, "system": system} if browser and system else browser or system
