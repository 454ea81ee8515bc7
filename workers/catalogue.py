"""The one table from event to email: which message, to whom, in which queue, and until when it is of use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from db.events import Event, Terms
from rules.events import EventType

SECURITY, BULK = "security", "bulk"


class Audience(Enum):
    """Whom an event is emailed to."""

    SUBJECT = "the person it concerns"
    STAFF_NOT_ENROLLED = "the account's staff who are not enrolled"


@dataclass(frozen=True)
class Mailing:
    """A message (the name of its template folder), its audience and its queue.

    `resends` says how often it goes out again, under the same Message-ID, when its sender died not knowing whether the
    server had taken it. A reminder does not: the next one covers it.
    """

    message: str
    audience: Audience
    queue: str
    resends: int = 1
    is_tied_to_deadline: bool = False
    is_of_use_after_deadline: bool = True


def _security(message: str) -> Mailing:
    return Mailing(message, Audience.SUBJECT, SECURITY)


_STAFF = Audience.STAFF_NOT_ENROLLED
_ENDED = Mailing("grace_period_ended", _STAFF, BULK, is_tied_to_deadline=True)

MAILINGS = {
    EventType.MFA_ENABLED: _security("mfa_enabled"),
    EventType.MFA_DISABLED: _security("mfa_disabled"),
    EventType.BACKUP_CODES_REGENERATED: _security("backup_codes_regenerated"),
    EventType.BACKUP_CODE_USED: _security("backup_code_used"),
    EventType.MFA_RESET: _security("mfa_reset"),
    EventType.MFA_CHALLENGE_LOCKED: _security("mfa_challenge_locked"),
    EventType.SIGN_IN_LOCKED: _security("sign_in_locked"),
    EventType.POLICY_ENABLED: Mailing("policy_enabled", _STAFF, BULK),
    EventType.POLICY_CHANGED: Mailing("policy_changed", _STAFF, BULK),
    EventType.GRACE_REMINDER_SENT: Mailing(
        "grace_reminder", _STAFF, BULK, resends=0, is_tied_to_deadline=True, is_of_use_after_deadline=False
    ),
    EventType.GRACE_PERIOD_ENDED: _ENDED,
}
SECURITY_TYPES = [event_type.value for event_type, mailing in MAILINGS.items() if mailing.queue == SECURITY]
QUIET_TYPES = [event_type.value for event_type in EventType if event_type not in MAILINGS]


class BrokenEventError(Exception):
    """An event that no email can be made of; the message says why, without its facts."""


def mailing_for(event: Event) -> Mailing | None:
    """What the event is emailed as; None when this one is not. Raises BrokenEventError."""
    if event.type in QUIET_TYPES:
        return None
    if event.type not in MAILINGS:
        raise BrokenEventError(f"Unknown event type {event.type[:60]!r}.")
    mailing = MAILINGS[EventType(event.type)]
    if event.data.get("announced"):
        return None  # the announcement of the policy said it already
    if event.type == EventType.POLICY_CHANGED and event.data.get("previousDeadline") == event.data["deadline"]:
        return None
    if event.type == EventType.GRACE_REMINDER_SENT and event.data["daysLeft"] <= 0:
        return _ENDED  # asked for after the deadline
    return mailing


def is_for_subject(event: Event, mailing: Mailing) -> bool:
    """Whether it goes to one person: what concerns them, or a reminder that someone asked for."""
    if mailing.audience is Audience.SUBJECT and event.subject_id is None:
        raise BrokenEventError(f"{event.type} names no person.")
    if mailing.audience is Audience.STAFF_NOT_ENROLLED and event.account_id is None:
        raise BrokenEventError(f"{event.type} names no account.")
    return event.subject_id is not None


def terms_for(event: Event, mailing: Mailing) -> Terms:
    """How its deliveries are made out. Raises KeyError or ValueError when the event lacks what they need."""
    if mailing.audience is Audience.SUBJECT:
        return Terms(mailing.message, mailing.queue, mailing.resends)
    deadline = _instant(event.data["deadline"])
    return Terms(
        mailing.message,
        mailing.queue,
        mailing.resends,
        required_since=_instant(event.data["requiredSince"]),
        deadline=deadline if mailing.is_tied_to_deadline else None,
        expires_at=None if mailing.is_of_use_after_deadline else deadline,
    )


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant without its zone")
    return instant
