"""The account's audit log."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

import strawberry

import resolvers.audit
from db.audit import Entry
from rules import audit as audit_rules
from rules.events import EventType
from schema.common import PageInfo


@strawberry.enum(description="What happened.")
class AuditEventType(Enum):
    SIGN_IN_SUCCEEDED = strawberry.enum_value("SIGN_IN_SUCCEEDED", description="Somebody signed in.")
    SIGN_IN_LOCKED = strawberry.enum_value(
        "SIGN_IN_LOCKED", description="Ten wrong passwords locked a sign-in for 15 minutes."
    )
    MFA_CHALLENGE_LOCKED = strawberry.enum_value(
        "MFA_CHALLENGE_LOCKED", description="Too many wrong codes locked a person's code entry."
    )
    MFA_ENABLED = strawberry.enum_value("MFA_ENABLED", description="A person turned MFA on.")
    MFA_DISABLED = strawberry.enum_value("MFA_DISABLED", description="A person turned MFA off.")
    MFA_RESET = strawberry.enum_value("MFA_RESET", description="An owner or admin reset a person's MFA.")
    BACKUP_CODES_REGENERATED = strawberry.enum_value(
        "BACKUP_CODES_REGENERATED", description="A person replaced their backup codes."
    )
    BACKUP_CODE_USED = strawberry.enum_value("BACKUP_CODE_USED", description="A person signed in with a backup code.")
    POLICY_ENABLED = strawberry.enum_value("POLICY_ENABLED", description="The account began to require MFA.")
    POLICY_CHANGED = strawberry.enum_value(
        "POLICY_CHANGED", description="The grace period changed, and the deadline with it."
    )
    POLICY_DISABLED = strawberry.enum_value("POLICY_DISABLED", description="The account stopped requiring MFA.")
    GRACE_REMINDER_SENT = strawberry.enum_value(
        "GRACE_REMINDER_SENT", description="Staff who are not enrolled were reminded."
    )
    GRACE_PERIOD_ENDED = strawberry.enum_value("GRACE_PERIOD_ENDED", description="The deadline passed.")
    ACCOUNT_CREATED = strawberry.enum_value("ACCOUNT_CREATED", description="The account was created.")
    STAFF_ADDED = strawberry.enum_value("STAFF_ADDED", description="A person got an account role.")
    STAFF_ROLE_CHANGED = strawberry.enum_value("STAFF_ROLE_CHANGED", description="A person's account role changed.")
    STAFF_REMOVED = strawberry.enum_value("STAFF_REMOVED", description="A person lost their account role.")
    PORTAL_USER_ADDED = strawberry.enum_value("PORTAL_USER_ADDED", description="A portal user was added.")
    SUPER_ADMIN_GRANTED = strawberry.enum_value(
        "SUPER_ADMIN_GRANTED", description="A person became a platform super-admin."
    )
    SUPER_ADMIN_REVOKED = strawberry.enum_value(
        "SUPER_ADMIN_REVOKED", description="A person is no longer a platform super-admin."
    )


@strawberry.input(description="All given conditions hold together.")
class AuditFilter:
    types: list[AuditEventType] | None = strawberry.field(default=None, description="Any of these types.")
    email: str | None = strawberry.field(
        default=None, description="Done by or concerning the person with this email, in any case."
    )


@strawberry.type(description="One thing that happened.")
class AuditEvent:
    id: strawberry.ID = strawberry.field(description="The event's id.")
    type: AuditEventType = strawberry.field(description="What happened.")
    occurred_at: datetime = strawberry.field(description="When.")
    actor_email: str | None = strawberry.field(description="Who did it; null when the system did.")
    subject_email: str | None = strawberry.field(description="Whom it concerns; null when it concerns the account.")
    summary: str = strawberry.field(description="One plain sentence. Never holds a code, a secret or a token.")

    @classmethod
    def of(cls, entry: Entry) -> AuditEvent:
        """The event as clients see it."""
        return cls(
            id=strawberry.ID(str(entry.id)),
            type=AuditEventType[entry.type],
            occurred_at=entry.occurred_at,
            actor_email=entry.actor_email,
            subject_email=entry.subject_email,
            summary=audit_rules.summary(EventType(entry.type), entry.actor_email, entry.subject_email, entry.data),
        )


@strawberry.type(description="An event at its place in the log.")
class AuditEventEdge:
    cursor: str = strawberry.field(description="Give as `after` to go on behind this one.")
    node: AuditEvent = strawberry.field(description="The event.")


@strawberry.type(description="A page of events, newest first.")
class AuditEventConnection:
    edges: list[AuditEventEdge] = strawberry.field(description="The page's events with their cursors.")
    nodes: list[AuditEvent] = strawberry.field(description="The page's events.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def of(cls, page: resolvers.audit.Page) -> AuditEventConnection:
        """The page as clients see it."""
        nodes = [AuditEvent.of(entry) for entry in page.entries]
        return cls(
            edges=[AuditEventEdge(cursor=c, node=node) for c, node in zip(page.cursors, nodes, strict=True)],
            nodes=nodes,
            page_info=PageInfo.of(page.cursors, page.has_next, page.has_previous),
        )
