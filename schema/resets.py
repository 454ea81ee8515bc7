"""Resetting whoever is locked out, and what a second owner or admin decides of it."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Annotated
from uuid import UUID

import strawberry

import db.resets
import resolvers.access
import resolvers.resets
import rules.resets
from db.staff import Member
from rules.people import Person
from rules.resets import PENDING
from schema.common import Error, Info, made_in_turns, told
from schema.failures import InvalidInput, LinkExpired, MfaResetEnded, NotPermitted, StaffMfaNotEnabled, TooManyAttempts
from schema.staff import StaffMember


@strawberry.enum(description="Whose resets of MFA a second owner or admin must approve.")
class ResetApproval(Enum):
    NOBODY = strawberry.enum_value("NOBODY", description="Nobody's: each is carried out at once.")
    OWNERS_AND_ADMINS = strawberry.enum_value("OWNERS_AND_ADMINS", description="Those of owners and admins.")
    EVERYONE = strawberry.enum_value("EVERYONE", description="Everybody's.")


@strawberry.type(description="A reset of a staff member's MFA that waits for a second owner or admin.")
class MfaResetRequest:
    id: strawberry.ID = strawberry.field(description="Its id.")
    staff_member: StaffMember = strawberry.field(description="Whose MFA is to be reset.")
    requested_by: str = strawberry.field(description="The email of whoever asked for it.")
    reason: str | None = strawberry.field(description="Why; null where none was given.")
    requested_at: datetime = strawberry.field(description="Since when it waits.")
    expires_at: datetime = strawberry.field(description="When it ends unless approved.")
    can_approve: bool = strawberry.field(
        description="Whether the viewer may approve it: never whoever asked, nor the person, and else as for a reset."
    )
    can_decline: bool = strawberry.field(description="Whether the viewer may decline it.")

    @classmethod
    def of(cls, request: db.resets.Request, member: Member, person: Person) -> MfaResetRequest:
        """The request as this person sees it."""
        may_decide = resolvers.resets.may_decide(person, request)
        shown = StaffMember.of(member, person, request.account_id)
        return cls(
            id=strawberry.ID(str(request.id)),
            staff_member=shown,
            requested_by=request.requester_email,
            reason=request.reason,
            requested_at=request.requested_at,
            expires_at=request.expires_at,
            can_approve=may_decide and shown.can_reset_mfa,
            can_decline=may_decide,
        )


@strawberry.input(description="Whose MFA to reset.")
class ResetStaffMfaInput:
    account_id: strawberry.ID = strawberry.field(description="The account.")
    staff_id: strawberry.ID = strawberry.field(description="The membership's id, from the roster.")
    reason: str | None = strawberry.field(
        default=None, description="Why, for the audit log and the emails: 1 to 500 characters."
    )


@strawberry.type(description="The staff member must enroll anew at the next sign-in, and is told by email.")
class StaffMfaReset:
    staff_member: StaffMember = strawberry.field(description="The staff member, with MFA off.")


@strawberry.type(
    description="Nothing is reset yet: another owner or admin must approve it, see SecurityPolicy.resetApproval. It "
    "waits for 24 hours; the person and the owners are told by email, each with a link that stops it."
)
class MfaResetPending(Error):
    reset_id: strawberry.ID = strawberry.field(description="Its id, for approveMfaReset and declineMfaReset.")
    expires_at: datetime = strawberry.field(description="When it ends unless approved.")


ResetStaffMfaResult = Annotated[
    StaffMfaReset | MfaResetPending | StaffMfaNotEnabled | NotPermitted | InvalidInput | TooManyAttempts,
    strawberry.union("ResetStaffMfaResult", description="What came of the reset."),
]


@strawberry.input(description="A reset that waits.")
class MfaResetInput:
    account_id: strawberry.ID = strawberry.field(description="The account.")
    reset_id: strawberry.ID = strawberry.field(description="Its id, from mfaResetRequests.")


ApproveMfaResetResult = Annotated[
    StaffMfaReset | MfaResetEnded | StaffMfaNotEnabled | NotPermitted,
    strawberry.union("ApproveMfaResetResult", description="What came of approving."),
]


@strawberry.type(description="The reset is off; nothing has changed for the staff member.")
class MfaResetDeclined:
    staff_member: StaffMember = strawberry.field(description="The staff member.")


DeclineMfaResetResult = Annotated[
    MfaResetDeclined | MfaResetEnded | NotPermitted,
    strawberry.union("DeclineMfaResetResult", description="What came of declining."),
]


@strawberry.input(description="The token out of the email's link.")
class StopMfaResetInput:
    token: str = strawberry.field(description="What stands behind '#token=' in the link.")


@strawberry.type(description="The reset is off; nothing has changed for the person.")
class MfaResetStopped:
    email: str = strawberry.field(description="Whose reset it was.")


StopMfaResetResult = Annotated[
    MfaResetStopped | LinkExpired | TooManyAttempts,
    strawberry.union("StopMfaResetResult", description="What came of stopping the reset."),
]


async def requests_of(info: Info, account_id: UUID) -> list[MfaResetRequest]:
    """What waits in the account, as the viewer sees it."""
    found = await resolvers.resets.waiting(info.context, account_id)
    person = await info.context.person()
    return await made_in_turns(lambda each: MfaResetRequest.of(*each, person), found)


@strawberry.type
class ResetMutation:
    @strawberry.mutation(
        description="Takes a locked-out staff member's MFA and sessions away, so that they enroll anew. Of "
        "somebody who disputed a reset, an owner alone: they can enroll again."
    )
    async def reset_staff_mfa(
        self,
        info: Info,
        input: Annotated[ResetStaffMfaInput, strawberry.argument(description="Whose.")],  # noqa: A002
    ) -> ResetStaffMfaResult | None:
        account_id = resolvers.access.parse_id(input.account_id)
        done = await resolvers.resets.reset(
            info.context, account_id, resolvers.access.parse_id(input.staff_id), input.reason
        )
        if isinstance(done, db.resets.Request):
            message, reset_id = told(info, PENDING), strawberry.ID(str(done.id))
            return MfaResetPending(message=message, reset_id=reset_id, expires_at=done.expires_at)
        return StaffMfaReset(staff_member=StaffMember.of(done, await info.context.person(), account_id))

    @strawberry.mutation(
        description="Carries out a reset that another owner or admin asked for, once the emails about it have left. "
        "Never by whoever asked, nor by the person; else by whoever may reset them."
    )
    async def approve_mfa_reset(
        self,
        info: Info,
        input: Annotated[MfaResetInput, strawberry.argument(description="Which.")],  # noqa: A002
    ) -> ApproveMfaResetResult | None:
        account_id = resolvers.access.parse_id(input.account_id)
        member = await resolvers.resets.approve(info.context, account_id, resolvers.access.parse_id(input.reset_id))
        return StaffMfaReset(staff_member=StaffMember.of(member, await info.context.person(), account_id))

    @strawberry.mutation(
        description="Lets a reset be that another owner or admin asked for. Never by whoever asked, nor by the person."
    )
    async def decline_mfa_reset(
        self,
        info: Info,
        input: Annotated[MfaResetInput, strawberry.argument(description="Which.")],  # noqa: A002
    ) -> DeclineMfaResetResult | None:
        account_id = resolvers.access.parse_id(input.account_id)
        member = await resolvers.resets.decline(info.context, account_id, resolvers.access.parse_id(input.reset_id))
        return MfaResetDeclined(staff_member=StaffMember.of(member, await info.context.person(), account_id))

    @strawberry.mutation(
        description="Stops a reset that waits for a second owner or admin, by the one-use link of its email to the "
        "person or to an owner. Needs no session."
    )
    async def stop_mfa_reset(
        self,
        info: Info,
        input: Annotated[StopMfaResetInput, strawberry.argument(description="The token.")],  # noqa: A002
    ) -> StopMfaResetResult | None:
        return MfaResetStopped(email=await resolvers.resets.stop(info.context, input.token))


def approval_of(given: ResetApproval | None) -> rules.resets.ResetApproval | None:
    """The rules' own word for it."""
    return rules.resets.ResetApproval[given.name] if given else None
