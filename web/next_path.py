"""Where to go on after signing in: a path of this origin, and nothing else that a browser could read into it."""

from __future__ import annotations

import re
from urllib.parse import quote

LONGEST_PATH = 2_000
# One slash, then no second one: browsers take "//host" and "/\host" for another site, and drop tabs and line ends.
OWN_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


def own_path(text: str | None) -> str | None:
    """The path when it is one of this origin, else None."""
    if text is None or len(text) > LONGEST_PATH or not text.isprintable():
        return None
    return text if OWN_PATH.fullmatch(text) else None


def sign_in_path(wanted: str) -> str:
    """The sign-in page that leads back to the path that was wanted."""
    return f"/sign-in?next={quote(wanted, safe='/')}"
