"""How an event is emailed: which message, to whom, in which queue, and until when it is of use."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

from rules.alerts import AlertKind
from rules.links import Link

SECURITY, BULK = "security", "bulk"


class Audience(Enum):
    """Whom an event is emailed to."""

    SUBJECT = "the person it concerns"
    OWNERS = "the account's owners"
    MANAGERS = "the account's owners, and its admins where owners chose so"
    STAFF_NOT_ENROLLED = "the account's staff who are not enrolled, or of these the person it concerns"


class While(StrEnum):
    """As long as what an email is true: the send looks again, and drops what has been overtaken."""

    ENROLLED = "ENROLLED"
    NOT_ENROLLED = "NOT_ENROLLED"
    # Their app has shown no code since.
    NOT_PROVED = "NOT_PROVED"
    MEMBER_NOT_ENROLLED = "MEMBER_NOT_ENROLLED"
    INVITED = "INVITED"
    OWNER = "OWNER"
    MANAGER = "MANAGER"
    # Of any account; what it tells is chosen as it is written: what is of those that they look after then.
    MANAGER_OF_ANY = "MANAGER_OF_ANY"
    # Goes to an address that is not theirs any more.
    FORMER_ADDRESS = "FORMER_ADDRESS"


@dataclass(frozen=True)
class Mailing:
    """A message (the name of its template folder), its audience and its queue.

    `resends` says how often it goes out again, under the same Message-ID, when its sender does not know whether the
    server has taken it. A reminder does not: the next one covers it.
    """

    message: str
    audience: Audience
    queue: str
    resends: int = 1
    is_tied_to_deadline: bool = False
    is_of_use_after_deadline: bool = True
    # Where its button leads: without it the mail is of no use.
    link: Link | None = None
    # In it, too, where they would hold.
    further_links: tuple[Link, ...] = ()
    holds_while: While | None = None
    # What owners choose about it.
    chosen_as: AlertKind | None = None
    # Goes to the admins where there is no owner but the person whom it is about.
    admins_stand_in: bool = False


def to_subject(
    message: str,
    link: Link | None = None,
    *,
    further_links: tuple[Link, ...] = (),
    holds_while: While | None = None,
) -> Mailing:
    """Security mail to the person whom the event concerns; its links work once, and its button may be one."""
    return Mailing(message, Audience.SUBJECT, SECURITY, link=link, further_links=further_links, holds_while=holds_while)


def to_owners(message: str) -> Mailing:
    """Security mail to all owners of the account."""
    return Mailing(message, Audience.OWNERS, SECURITY, holds_while=While.OWNER)


def to_owners_or_admins(message: str) -> Mailing:
    """The same, to the admins where there is no owner but the person whom it is about."""
    return Mailing(message, Audience.OWNERS, SECURITY, holds_while=While.MANAGER, admins_stand_in=True)


def to_owners_and_requester(message: str) -> Mailing:
    """The same, to whoever had asked for what the event tells of, too: an owner or admin."""
    return Mailing(message, Audience.OWNERS, SECURITY, holds_while=While.MANAGER)


def to_managers(message: str, chosen_as: AlertKind) -> Mailing:
    """Bulk mail to the owners and admins who are to get it."""
    return Mailing(message, Audience.MANAGERS, BULK, holds_while=While.MANAGER, chosen_as=chosen_as)


def to_manager(message: str) -> Mailing:
    """Security mail to one owner or admin, whom the event concerns, about their accounts."""
    return Mailing(message, Audience.SUBJECT, SECURITY, holds_while=While.MANAGER_OF_ANY)


def to_staff(
    message: str, *, resends: int = 1, is_tied_to_deadline: bool = False, is_of_use_after_deadline: bool = True
) -> Mailing:
    """Bulk mail to the account's staff who are not enrolled."""
    return Mailing(message, Audience.STAFF_NOT_ENROLLED, BULK, resends, is_tied_to_deadline, is_of_use_after_deadline)
