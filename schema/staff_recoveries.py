"""Staff who wait to come back alone, as owners and admins see and stop it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

import resolvers.access
import resolvers.account_recovery
from db.account_recovery import Waiting
from db.staff import Member
from schema.common import Info, made_in_turns
from schema.failures import AccountRecoveryEnded, NotPermitted
from schema.staff import StaffMember


@strawberry.type(
    description="A staff member who waits to come back alone: unless stopped, their MFA is reset at its end."
)
class StaffAccountRecovery:
    staff_member: StaffMember = strawberry.field(description="Who waits, or whoever has their password and mailbox.")
    started_at: datetime = strawberry.field(description="Since when.")
    ends_at: datetime = strawberry.field(description="When their MFA is reset.")
    can_stop: bool = strawberry.field(description="Whether the viewer may stop it: any owner or admin.")


async def recoveries_of(info: Info, account_id: UUID) -> list[StaffAccountRecovery]:
    """What waits in the account, as the viewer sees it."""
    found = await resolvers.account_recovery.waiting(info.context, account_id)
    person = await info.context.person()

    def made(each: tuple[Waiting, Member]) -> StaffAccountRecovery:
        waiting, member = each
        return StaffAccountRecovery(
            staff_member=StaffMember.of(member, person, account_id),
            started_at=waiting.started_at,
            ends_at=waiting.ends_at,
            can_stop=person.manages(account_id),
        )

    return await made_in_turns(made, found)


@strawberry.input(description="Whose account recovery to stop.")
class StopStaffAccountRecoveryInput:
    account_id: strawberry.ID = strawberry.field(description="The account.")
    staff_id: strawberry.ID = strawberry.field(description="The membership's id, from the roster.")


@strawberry.type(description="It is stopped; nothing has changed for the staff member, who is told by email.")
class StaffAccountRecoveryStopped:
    staff_member: StaffMember = strawberry.field(description="The staff member.")


StopStaffAccountRecoveryResult = Annotated[
    StaffAccountRecoveryStopped | AccountRecoveryEnded | NotPermitted,
    strawberry.union("StopStaffAccountRecoveryResult", description="What came of stopping it."),
]


@strawberry.type
class StaffRecoveryMutation:
    @strawberry.mutation(
        description="Stops a staff member's account recovery, see accountRecoveries. Any owner or admin may, at once: "
        "no fresh proof is asked for."
    )
    async def stop_staff_account_recovery(
        self,
        info: Info,
        input: Annotated[StopStaffAccountRecoveryInput, strawberry.argument(description="Whose.")],  # noqa: A002
    ) -> StopStaffAccountRecoveryResult | None:
        account_id = resolvers.access.parse_id(input.account_id)
        staff_id = resolvers.access.parse_id(input.staff_id)
        member = await resolvers.account_recovery.stop_of(info.context, account_id, staff_id)
        return StaffAccountRecoveryStopped(staff_member=StaffMember.of(member, await info.context.person(), account_id))
