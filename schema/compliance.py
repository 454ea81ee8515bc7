"""How an account complied with its own MFA requirement."""

from __future__ import annotations

from datetime import datetime

import strawberry

import db.compliance
import resolvers.standing
from schema.common import at_most
from schema.policy import RequiredOf
from schema.standing import MfaException


@strawberry.type(description="How the account complied with its own MFA requirement at an instant.")
class Compliance:
    at: datetime = strawberry.field(description="The instant.")
    require_mfa: bool = strawberry.field(description="Whether MFA was required then.")
    required_since: datetime | None = strawberry.field(description="Since when; null while off.")
    required_of: RequiredOf = strawberry.field(description="Of whom.")
    grace_period_days: int | None = strawberry.field(description="The grace period that held; null while off.")
    grace_deadline: datetime | None = strawberry.field(description="The deadline that held; null while off.")
    joiner_days: int = strawberry.field(description="Days that those who joined later got at least.")
    staff_count: int = strawberry.field(description="Everyone who had an account role.")
    enrolled_count: int = strawberry.field(description="Those who had MFA on.")
    pending_count: int = strawberry.field(description="Those who had not, and could go on.")
    blocked_count: int = strawberry.field(description="Those who had not, and could not continue.")
    excepted_count: int = strawberry.field(description="Those who had not, and for whom an exception held.")
    exceptions: list[MfaException] = strawberry.field(
        description="The exceptions that held, the newest 500.", metadata=at_most(resolvers.standing.MOST_LISTED)
    )

    @classmethod
    def of(cls, found: db.compliance.Compliance, exceptions: list[MfaException]) -> Compliance:
        return cls(
            at=found.at,
            require_mfa=found.required_since is not None,
            required_since=found.required_since,
            required_of=RequiredOf[found.required_of],
            grace_period_days=found.grace_days,
            grace_deadline=found.grace_deadline,
            joiner_days=found.joiner_days,
            staff_count=found.staff_count,
            enrolled_count=found.enrolled_count,
            pending_count=found.pending_count,
            blocked_count=found.blocked_count,
            excepted_count=found.excepted_count,
            exceptions=exceptions,
        )
