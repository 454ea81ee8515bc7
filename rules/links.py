"""Links in emails that work once: what each is for, how long it holds, and where it leads.

The token stands in the URL's fragment, which no browser sends to a server or in a Referer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Purpose(StrEnum):
    """What a link may be used for."""

    INVITATION = "INVITATION"
    PASSWORD_RESET = "PASSWORD_RESET"


@dataclass(frozen=True)
class Link:
    """A kind of link: for this purpose, so long from its event on, to this path of the product."""

    purpose: Purpose
    lifetime: timedelta
    path: str

    def url(self, public_url: str, token: str) -> str:
        """The whole link."""
        return f"{public_url.rstrip('/')}{self.path}#token={token}"


SAMPLE_TOKEN = "gh_l_" + "sample" * 7 + "x"  # of the right form, and of no link


INVITATION = Link(Purpose.INVITATION, timedelta(days=7), "/set-password")
PASSWORD_RESET = Link(Purpose.PASSWORD_RESET, timedelta(minutes=30), "/set-password")
SETS_PASSWORD = [Purpose.INVITATION, Purpose.PASSWORD_RESET]
