"""What owners and admins do about the people of their roster: remind who has not enrolled."""

from __future__ import annotations

from typing import Annotated

import strawberry

import resolvers.access
import resolvers.staff
from schema.common import Info
from schema.failures import InvalidInput, NotPermitted


@strawberry.input(description="Whom to remind.")
class RemindStaffInput:
    account_id: strawberry.ID = strawberry.field(description="The account.")
    staff_ids: list[strawberry.ID] = strawberry.field(description="Memberships' ids, from the roster: 1 to 500.")


@strawberry.type(description="Reminders are on their way.")
class StaffReminded:
    reminded_count: int = strawberry.field(description="How many are being reminded.")
    skipped_count: int = strawberry.field(
        description="How many are not: enrolled, reminded within 24 hours, not staff here, or not asked to enroll."
    )


RemindStaffResult = Annotated[
    StaffReminded | InvalidInput | NotPermitted,
    strawberry.union("RemindStaffResult", description="What came of reminding."),
]


@strawberry.type
class StaffMutation:
    @strawberry.mutation(
        description="Sends the grace-period reminder now to staff who are not enrolled; each person at most once in 24 "
        "hours."
    )
    async def remind_staff(
        self,
        info: Info,
        input: Annotated[RemindStaffInput, strawberry.argument(description="Whom.")],  # noqa: A002
    ) -> RemindStaffResult | None:
        reminded, skipped = await resolvers.staff.remind(
            info.context, resolvers.access.parse_id(input.account_id), list(input.staff_ids)
        )
        return StaffReminded(reminded_count=reminded, skipped_count=skipped)
