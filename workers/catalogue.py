"""The one table from event to email: which message, to whom, in which queue."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from db.events import Event
from rules.events import EventType


class Audience(Enum):
    """Whom an event is emailed to."""

    SUBJECT = "the person it concerns"
    STAFF_NOT_ENROLLED = "the account's staff who are not enrolled"


@dataclass(frozen=True)
class Mailing:
    """A message (the name of its template folder), its audience and its queue."""

    message: str
    audience: Audience
    queue: str


def _security(message: str) -> Mailing:
    return Mailing(message, Audience.SUBJECT, "security")


def _bulk(message: str) -> Mailing:
    return Mailing(message, Audience.STAFF_NOT_ENROLLED, "bulk")


MAILINGS = {
    EventType.MFA_ENABLED: _security("mfa_enabled"),
    EventType.MFA_DISABLED: _security("mfa_disabled"),
    EventType.BACKUP_CODES_REGENERATED: _security("backup_codes_regenerated"),
    EventType.BACKUP_CODE_USED: _security("backup_code_used"),
    EventType.MFA_RESET: _security("mfa_reset"),
    EventType.MFA_CHALLENGE_LOCKED: _security("mfa_challenge_locked"),
    EventType.SIGN_IN_LOCKED: _security("sign_in_locked"),
    EventType.POLICY_ENABLED: _bulk("policy_enabled"),
    EventType.POLICY_CHANGED: _bulk("policy_changed"),
    EventType.GRACE_REMINDER_SENT: _bulk("grace_reminder"),
    EventType.GRACE_PERIOD_ENDED: _bulk("grace_period_ended"),
}
QUIET_TYPES = [event_type.value for event_type in EventType if event_type not in MAILINGS]


class UnknownEventError(Exception):
    """No version of Gatehouse that is running knows this type."""


def mailing_for(event: Event) -> Mailing | None:
    """What the event is emailed as; None when this one is not. Raises UnknownEventError."""
    try:
        mailing = MAILINGS[EventType(event.type)]
    except (ValueError, KeyError):
        raise UnknownEventError(f"Unknown event type {event.type[:60]!r}.") from None
    if event.data.get("announced"):
        return None  # the announcement of the policy said it already
    if mailing.audience is Audience.STAFF_NOT_ENROLLED and event.subject_id is not None:
        # A reminder that someone asked for, which may come after the deadline.
        message = mailing.message if event.data["daysLeft"] > 0 else "grace_period_ended"
        return Mailing(message, Audience.SUBJECT, mailing.queue)
    return mailing
