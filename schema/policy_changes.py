"""Saving what an account requires of its staff."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

import resolvers.access
import resolvers.policy
from schema.accounts import Account
from schema.common import Info
from schema.failures import ChangedMeanwhile, InvalidInput, NotPermitted, TooManyAttempts
from schema.policy import RequiredOf, SecurityPolicy, whom
from schema.resets import ResetApproval, approval_of


@strawberry.input(
    description="gracePeriodDays, if not given, stays as it is, and is 7 when the requirement is turned on. It must be "
    "0 to 30, and is an error when the requirement is off."
)
class UpdateSecurityPolicyInput:
    account_id: strawberry.ID = strawberry.field(description="The account.")
    require_mfa: bool = strawberry.field(description="Require MFA of all staff.")
    grace_period_days: int | None = strawberry.field(
        default=None, description="Days staff have from the moment the requirement is turned on; 0 means immediately."
    )
    joiner_days: int | None = strawberry.field(
        default=None, description="Days that somebody who joins later gets at least: 0 to 30. Stays as it is when null."
    )
    required_of: RequiredOf | None = strawberry.field(
        default=None, description="Of whom MFA is required. Stays as it is when null."
    )
    confirm_reset_by_email: bool | None = strawberry.field(
        default=None,
        description="Whether setting up MFA after a reset needs a one-use link out of an email beside the password. "
        "Stays as it is when null.",
    )
    reset_approval: ResetApproval | None = strawberry.field(
        default=None,
        description="Whose resets of MFA a second owner or admin must approve. Owners alone choose it. Stays as it is "
        "when null.",
    )
    if_updated_at: datetime | None = strawberry.field(
        default=None,
        description="The updatedAt of the policy that was seen: ChangedMeanwhile if it is another by now. Saved "
        "whatever holds when null.",
    )


@strawberry.type(description="The policy holds as asked for.")
class SecurityPolicyUpdated:
    account: Account = strawberry.field(description="The account.")
    security_policy: SecurityPolicy = strawberry.field(description="The policy that holds now.")


UpdateSecurityPolicyResult = Annotated[
    SecurityPolicyUpdated | ChangedMeanwhile | InvalidInput | NotPermitted | TooManyAttempts,
    strawberry.union("UpdateSecurityPolicyResult", description="What came of saving the policy."),
]


@strawberry.type
class PolicyMutation:
    @strawberry.mutation(description="Turns the requirement on or off, or changes its grace period.")
    async def update_security_policy(
        self,
        info: Info,
        input: Annotated[  # noqa: A002
            UpdateSecurityPolicyInput, strawberry.argument(description="The policy to save.")
        ],
    ) -> UpdateSecurityPolicyResult | None:
        account = await resolvers.policy.update(
            info.context,
            resolvers.access.parse_id(input.account_id),
            input.require_mfa,
            input.grace_period_days,
            input.joiner_days,
            whom(input.required_of),
            input.confirm_reset_by_email,
            approval_of(input.reset_approval),
            input.if_updated_at,
        )
        return SecurityPolicyUpdated(account=Account.of(account), security_policy=SecurityPolicy.of(account.policy))
