"""How often in a day one may do what others are emailed about each time, so that nobody fills anybody's mailbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

SPAN = timedelta(hours=24)
TOO_OFTEN = (
    "You have done this too often today, and others are told of it by email each time. Wait until the time given, "
    "then try again."
)
# Of how many joinings of one account in a day a person is mailed: whoever takes them away and adds them anew may.
JOININGS_MAILED = 3
# Of what is done in somebody's name over and over: how many of one kind they are mailed of.
OWN_ACT_SPAN = timedelta(hours=1)
OWN_ACTS_MAILED = 5
WEBHOOKS_TOO_OFTEN = (
    "Webhooks of this account were tried too often just now. Wait until the time given, then try again."
)
# In an hour, of one account: tests, and deliveries that are sent again. Each is a call of somebody's server.
WEBHOOK_SPAN = timedelta(hours=1)
WEBHOOK_TESTS, WEBHOOK_RESENDS = 60, 600


@dataclass(frozen=True)
class Often:
    """How often one actor may, about the same one (a person, or else the account), and in the account in all.

    What has the same name counts together.
    """

    name: str
    of_one: int = 30
    in_all: int | None = None

    def limits(self, actor: object, account: object, about: list[object]) -> Mapping[str, int]:
        """What counts it, each with the most that is allowed."""
        whole = f"often:{self.name}:{actor}:{account}"
        in_all = {whole: self.in_all} if self.in_all else {}
        return {f"{whole}:{each}": self.of_one for each in about} | in_all


def joining_key(account_id: object, user_id: object) -> str:
    """What counts the mails of one person's joining one account."""
    return f"often:joining:{account_id}:{user_id}"


def own_act_key(kind: str, user_id: object) -> str:
    """What counts the mails of one kind about what is done in one person's name."""
    return f"often:own-act:{kind}:{user_id}"


def webhook_key(what: str, account_id: object) -> str:
    """What counts an account's tests, or its deliveries that are sent again."""
    return f"often:webhook-{what}:{account_id}"
