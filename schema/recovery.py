"""A recovery pass: in place of a lost second factor, for replacing it and nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

import resolvers.access
import resolvers.recovery
from schema.common import Info
from schema.failures import (
    ChallengeExpired,
    InvalidInput,
    NotPermitted,
    RecoveryPassExpired,
    StaffMfaNotEnabled,
    TooManyAttempts,
)
from schema.staff import StaffMember


@strawberry.input(description="Who has lost their second factor, and why it is believed.")
class IssueRecoveryPassInput:
    account_id: strawberry.ID = strawberry.field(description="The account.")
    staff_id: strawberry.ID = strawberry.field(description="The membership's id, from the roster.")
    reason: str = strawberry.field(description="Why, for the audit log: 1 to 500 characters.")


@strawberry.type(description="The staff member has a recovery pass; they and the account's owners are told by email.")
class RecoveryPassIssued:
    recovery_pass: str = strawberry.field(
        description="To be handed to the person, and shown this once. Good for one sign-in, for 60 minutes."
    )
    expires_at: datetime = strawberry.field(description="Until when it holds.")
    staff_member: StaffMember = strawberry.field(description="The staff member, whose MFA stays on.")


IssueRecoveryPassResult = Annotated[
    RecoveryPassIssued | StaffMfaNotEnabled | NotPermitted | InvalidInput | TooManyAttempts,
    strawberry.union("IssueRecoveryPassResult", description="What came of giving a recovery pass."),
]


@strawberry.input(description="The answer to a challenge by whoever has lost their second factor.")
class RedeemRecoveryPassInput:
    challenge_token: str = strawberry.field(description="The token that signIn returned.")
    recovery_pass: str = strawberry.field(description="The pass that an owner or admin gave.")


@strawberry.type(
    description="A session has begun that admits to beginAuthenticatorReplacement (without a code), "
    "replaceAuthenticator and signOut, for 30 minutes; to all else it is no session. Once the authenticator is "
    "replaced it goes on as any other."
)
class RecoverySession:
    session_token: str | None = strawberry.field(
        description="Send as 'Authorization: Bearer …'. Null when the session was set as a cookie."
    )
    expires_at: datetime = strawberry.field(description="When it ends.")


RedeemRecoveryPassResult = Annotated[
    RecoverySession | RecoveryPassExpired | ChallengeExpired | TooManyAttempts,
    strawberry.union("RedeemRecoveryPassResult", description="What came of the pass."),
]


@strawberry.type
class RecoveryMutation:
    @strawberry.mutation(
        description="Gives a staff member who has lost their second factor a one-use pass for 60 minutes, in an "
        "earlier one's place. Their MFA stays on until they have set up another app. Whoever may reset them may give "
        "it."
    )
    async def issue_recovery_pass(
        self,
        info: Info,
        input: Annotated[IssueRecoveryPassInput, strawberry.argument(description="To whom, and why.")],  # noqa: A002
    ) -> IssueRecoveryPassResult | None:
        account_id = resolvers.access.parse_id(input.account_id)
        issued = await resolvers.recovery.issue(
            info.context, account_id, resolvers.access.parse_id(input.staff_id), input.reason
        )
        return RecoveryPassIssued(
            recovery_pass=issued.token,
            expires_at=issued.expires_at,
            staff_member=StaffMember.of(issued.member, await info.context.person(), account_id),
        )

    @strawberry.mutation(
        description="Answers a challenge by a recovery pass, in the second factor's place; a session begins that can "
        "replace the authenticator and nothing else."
    )
    async def redeem_recovery_pass(
        self,
        info: Info,
        input: Annotated[  # noqa: A002
            RedeemRecoveryPassInput, strawberry.argument(description="The challenge and the pass.")
        ],
    ) -> RedeemRecoveryPassResult | None:
        started = await resolvers.recovery.redeem(info.context, input.challenge_token, input.recovery_pass)
        return RecoverySession(session_token=started.token, expires_at=started.expires_at)
