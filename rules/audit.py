"""The audit log's words: one plain sentence for each event."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rules.events import EventType

SENTENCES = {
    EventType.SIGN_IN_SUCCEEDED: "{subject} signed in.",
    EventType.SIGN_IN_LOCKED: "Sign-in of {subject} was locked after too many wrong passwords.",
    EventType.MFA_CHALLENGE_LOCKED: "Code entry of {subject} was locked after too many wrong codes.",
    EventType.MFA_ENABLED: "{subject} turned on MFA.",
    EventType.MFA_DISABLED: "{subject} turned off MFA.",
    EventType.MFA_RESET: "{actor} reset the MFA of {subject}.",
    EventType.BACKUP_CODES_REGENERATED: "{subject} replaced their backup codes.",
    EventType.BACKUP_CODE_USED: "{subject} signed in with a backup code; {remaining} left.",
    EventType.POLICY_ENABLED: "{actor} required MFA of all staff by {deadline}.",
    EventType.POLICY_CHANGED: "{actor} moved the MFA deadline to {deadline}.",
    EventType.POLICY_DISABLED: "{actor} stopped requiring MFA.",
    EventType.GRACE_REMINDER_SENT: "{actor} reminded {staff} to set up MFA: {days} left.",
    EventType.GRACE_PERIOD_ENDED: "The grace period for setting up MFA ended.",
    EventType.ACCOUNT_CREATED: "The account was created.",
    EventType.STAFF_ADDED: "{subject} became {role} of the account.",
    EventType.STAFF_ROLE_CHANGED: "{subject} is now {role} of the account.",
    EventType.STAFF_REMOVED: "{subject} left the account's staff.",
    EventType.PORTAL_USER_ADDED: "{subject} was added as a portal user.",
    EventType.SUPER_ADMIN_GRANTED: "{subject} was made a platform super-admin.",
    EventType.SUPER_ADMIN_REVOKED: "{subject} is no longer a platform super-admin.",
}


def summary(event_type: EventType, actor: str | None, subject: str | None, data: dict[str, Any]) -> str:
    """The sentence for one event; `actor` and `subject` are emails, None for the system and for everybody."""
    days = data.get("daysLeft")
    return SENTENCES[event_type].format(
        actor=actor or "Gatehouse",
        subject=subject or "Someone",
        staff=subject or "the staff who have not",
        remaining=data.get("remaining", "some"),
        deadline=_day(data.get("deadline")),
        days="1 day" if days == 1 else f"{days} days",
        role=_with_article(str(data.get("role", "member")).lower()),
    )


def _day(instant: str | None) -> str:
    if instant is None:
        return "a date not recorded"
    day = datetime.fromisoformat(instant)
    return f"{day.day} {day:%B %Y}"


def _with_article(role: str) -> str:
    return f"{'an' if role[:1] in 'aeiou' else 'a'} {role}"
