"""The account's security policy, what it would do, and how far enrollment has come."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

import strawberry

import db.policy
import rules.policy
from schema.resets import ResetApproval


@strawberry.enum(description="Of whom an account requires MFA.")
class RequiredOf(Enum):
    EVERYONE = strawberry.enum_value("EVERYONE", description="Of all staff.")
    OWNERS_AND_ADMINS = strawberry.enum_value("OWNERS_AND_ADMINS", description="Of owners and admins, to begin with.")


@strawberry.type(description="Whether the account requires MFA of its staff.")
class SecurityPolicy:
    require_mfa: bool = strawberry.field(description="Whether every staff member must set up MFA.")
    grace_period_days: int | None = strawberry.field(
        description="Days staff have to enable MFA after the requirement was turned on. Shown only while it is on: "
        "null otherwise."
    )
    required_since: datetime | None = strawberry.field(
        description="When the requirement was last turned on; null while off. Changing the grace period does not "
        "move it."
    )
    grace_deadline: datetime | None = strawberry.field(
        description="requiredSince plus the grace period; null while off."
    )
    updated_at: datetime = strawberry.field(description="When the policy last changed.")
    joiner_days: int = strawberry.field(description="Days that somebody who joins later gets at least.")
    required_of: RequiredOf = strawberry.field(description="Of whom MFA is required, while it is.")
    confirm_reset_by_email: bool = strawberry.field(
        description="Whether staff whose MFA was reset set it up again only by a one-use link out of an email, beside "
        "their password: false unless switched on. See MfaStatus.emailLinkRequired."
    )
    reset_approval: ResetApproval = strawberry.field(
        description="Whose resets of MFA a second owner or admin must approve: nobody's unless an owner chose it."
    )

    @classmethod
    def of(cls, policy: rules.policy.Policy) -> SecurityPolicy:
        return cls(
            require_mfa=policy.is_on,
            grace_period_days=policy.grace_days,
            required_since=policy.required_since,
            grace_deadline=policy.deadline,
            updated_at=policy.updated_at,
            joiner_days=policy.joiner_days,
            required_of=RequiredOf[policy.required_of],
            confirm_reset_by_email=policy.confirm_reset_by_email,
            reset_approval=ResetApproval[policy.reset_approval],
        )


@strawberry.type(description="What saving a policy would do.")
class PolicyImpact:
    staff_count: int = strawberry.field(description="Everyone with an account role.")
    enrolled_count: int = strawberry.field(description="Those of them who have MFA on.")
    affected_count: int = strawberry.field(description="Staff who would see the banner.")
    blocked_now_count: int = strawberry.field(description="Of those, who would be stopped at once.")
    grace_deadline: datetime | None = strawberry.field(description="The deadline that would hold; null when off.")
    reset_never_approved_count: int = strawberry.field(
        description="Staff whose resets nobody could approve: it takes one who asks and one who approves, beside the "
        "person, and of an owner's reset both are owners."
    )

    @classmethod
    def of(cls, impact: db.policy.Impact, never_approved: int) -> PolicyImpact:
        return cls(
            staff_count=impact.staff_count,
            enrolled_count=impact.enrolled_count,
            affected_count=impact.affected_count,
            blocked_now_count=impact.blocked_now_count,
            grace_deadline=impact.grace_deadline,
            reset_never_approved_count=never_approved,
        )


@strawberry.type(description="How far the account's enrollment has come.")
class EnrollmentProgress:
    staff_count: int = strawberry.field(description="Everyone with an account role.")
    enrolled_count: int = strawberry.field(description="Those who have MFA on.")
    pending_count: int = strawberry.field(description="Those who have not, and can go on.")
    blocked_count: int = strawberry.field(description="Those who have not, and cannot continue until they do.")
    resets_waiting_count: int = strawberry.field(description="Resets of MFA that wait for a second owner or admin.")
    recoveries_waiting_count: int = strawberry.field(
        description="Staff who wait to come back alone, without their second factor: see accountRecoveries."
    )

    @classmethod
    def of(cls, progress: db.policy.Progress) -> EnrollmentProgress:
        return cls(
            staff_count=progress.staff_count,
            enrolled_count=progress.enrolled_count,
            pending_count=progress.pending_count,
            blocked_count=progress.blocked_count,
            resets_waiting_count=progress.resets_waiting_count,
            recoveries_waiting_count=progress.recoveries_waiting_count,
        )


def whom(given: RequiredOf | None) -> rules.policy.RequiredOf | None:
    """The rules' own word for it."""
    return rules.policy.RequiredOf[given.name] if given else None
