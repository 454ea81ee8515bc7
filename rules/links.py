"""Links in emails that work once: what each is for, how long it holds, and where it leads.

The token stands in the URL's fragment, which no browser sends to a server or in a Referer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from rules.resets import REQUEST_LIFETIME


class Purpose(StrEnum):
    """What a link may be used for."""

    INVITATION = "INVITATION"
    PASSWORD_RESET = "PASSWORD_RESET"
    NOT_ME = "NOT_ME"
    ENROLLMENT = "ENROLLMENT"
    NOT_MY_SIGN_IN = "NOT_MY_SIGN_IN"
    STOP_RESET = "STOP_RESET"
    START_RECOVERY = "START_RECOVERY"
    STOP_RECOVERY = "STOP_RECOVERY"


@dataclass(frozen=True)
class Link:
    """A kind of link: for this purpose, so long from its event on, to this path of the product.

    Without a path it leads to the page where people set up MFA, wherever that is.
    """

    purpose: Purpose
    lifetime: timedelta
    path: str | None

    def url(self, public_url: str, security_url: str, token: str) -> str:
        """The whole link."""
        page = f"{public_url.rstrip('/')}{self.path}" if self.path else security_url
        return f"{page}#token={token}"


SAMPLE_TOKEN = "gh_l_" + "sample" * 7 + "x"  # of the right form, and of no link


# The page offers whoever has a password to sign in.
INVITATION = Link(Purpose.INVITATION, timedelta(days=7), "/set-password?invited")
PASSWORD_RESET = Link(Purpose.PASSWORD_RESET, timedelta(minutes=30), "/set-password")
NOT_ME = Link(Purpose.NOT_ME, timedelta(days=7), "/not-me")
NOT_MY_SIGN_IN = Link(Purpose.NOT_MY_SIGN_IN, timedelta(days=7), "/not-my-session")
STOP_RESET = Link(Purpose.STOP_RESET, REQUEST_LIFETIME, "/not-wanted")
START_RECOVERY = Link(Purpose.START_RECOVERY, timedelta(minutes=30), "/come-back")
# As long as the longest wait, and a day.
STOP_RECOVERY = Link(Purpose.STOP_RECOVERY, timedelta(days=8), "/not-my-recovery")
ENROLLMENT = Link(Purpose.ENROLLMENT, timedelta(minutes=30), None)
ALL = (INVITATION, PASSWORD_RESET, NOT_ME, NOT_MY_SIGN_IN, STOP_RESET, START_RECOVERY, STOP_RECOVERY, ENROLLMENT)
LONGEST = max(link.lifetime for link in ALL)
# Each holds as long as what its email is about waits.
STOPPING = (Purpose.STOP_RESET, Purpose.STOP_RECOVERY)
# They lead nobody on.
REJECTING = (Purpose.NOT_ME, Purpose.NOT_MY_SIGN_IN, *STOPPING)
# They revoke what invitations were sent meanwhile.
REVOKING = (Purpose.NOT_ME, Purpose.NOT_MY_SIGN_IN)
AFTER_RESET = [Purpose.NOT_ME, Purpose.ENROLLMENT]
SETS_PASSWORD = [Purpose.INVITATION, Purpose.PASSWORD_RESET]
