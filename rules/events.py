"""The domain events: past-tense facts, each written in the transaction of the change it tells of."""

from __future__ import annotations

from enum import StrEnum


class EventType(StrEnum):
    """Every fact that Gatehouse records. The value is what the database and the audit log hold."""

    SIGN_IN_SUCCEEDED = "SIGN_IN_SUCCEEDED"
    SIGN_IN_LOCKED = "SIGN_IN_LOCKED"
    MFA_CHALLENGE_LOCKED = "MFA_CHALLENGE_LOCKED"
    MFA_ENABLED = "MFA_ENABLED"
    MFA_DISABLED = "MFA_DISABLED"
    MFA_RESET = "MFA_RESET"
    BACKUP_CODES_REGENERATED = "BACKUP_CODES_REGENERATED"
    BACKUP_CODE_USED = "BACKUP_CODE_USED"
    POLICY_ENABLED = "POLICY_ENABLED"
    POLICY_CHANGED = "POLICY_CHANGED"
    POLICY_DISABLED = "POLICY_DISABLED"
    GRACE_REMINDER_SENT = "GRACE_REMINDER_SENT"
    GRACE_PERIOD_ENDED = "GRACE_PERIOD_ENDED"
    ACCOUNT_CREATED = "ACCOUNT_CREATED"
    STAFF_ADDED = "STAFF_ADDED"
    STAFF_ROLE_CHANGED = "STAFF_ROLE_CHANGED"
    STAFF_REMOVED = "STAFF_REMOVED"
    PORTAL_USER_ADDED = "PORTAL_USER_ADDED"
    SUPER_ADMIN_GRANTED = "SUPER_ADMIN_GRANTED"
    SUPER_ADMIN_REVOKED = "SUPER_ADMIN_REVOKED"


# After which of them the roster shows the subject differently.
MEMBER_CHANGES = frozenset(
    {
        EventType.MFA_ENABLED,
        EventType.MFA_DISABLED,
        EventType.MFA_RESET,
        EventType.STAFF_ADDED,
        EventType.STAFF_ROLE_CHANGED,
        EventType.STAFF_REMOVED,
    }
)
