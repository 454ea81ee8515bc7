"""What people type: one way in for each kind of text, so that the same word is the same wherever it enters."""

from __future__ import annotations

import re
import unicodedata

# Format characters, joiners, fillers and marks of direction: pasted along unseen.
INVISIBLE = re.compile(
    r"[\xad\u034f\u061c\u115f\u1160\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff"
    r"\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)

# What ends a line, steers a terminal, or turns round what stands behind it. Joiners do none of it: Persian has them.
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
DIRECTIONS = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

# Nothing that is typed here is longer; to put a text's marks in order takes as long as the square of their number, and
# all others wait meanwhile.
LONGEST = 1_000


def visible(text: str) -> str:
    """The text in NFC, without invisible marks and the spaces around it; what is too long for anything as it is."""
    return _composed(INVISIBLE.sub("", text)).strip()


def one_line(text: str) -> str:
    """Words for others to read, on one line: without marks of direction, a space in place of control characters."""
    return DIRECTIONS.sub("", CONTROLS.sub(" ", text)).strip()


def is_storable(text: str) -> bool:
    """Whether PostgreSQL and UTF-8 can hold it: neither the NUL character nor half of a surrogate pair is in it."""
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def password(text: str) -> str:
    """A password as it is hashed: in NFC, every character kept, spaces and invisible ones too."""
    return _composed(text)


def code(text: str) -> str:
    """A code as it is compared: any decimal digit as 0-9, lower-case, without spaces, dashes and invisible marks.

    Nothing is left of what is too long for one.
    """
    if len(text) > LONGEST:
        return ""
    # NFKC first: full-width letters and digits become plain ones.
    kept = unicodedata.normalize("NFKC", INVISIBLE.sub("", text)).lower()
    return "".join(_digit(c) for c in kept if not c.isspace() and not _is_dash(c))


def _composed(text: str) -> str:
    return text if len(text) > LONGEST else unicodedata.normalize("NFC", text)


def _is_dash(character: str) -> bool:
    # The minus sign and the hyphen bullet are no dashes to Unicode, but to whoever sees them.
    return unicodedata.category(character) == "Pd" or character in "\u2212\u2043"


def _digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)
