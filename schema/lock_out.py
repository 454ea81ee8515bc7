"""The lock-out forecast: who could not come back today, and hearing that backup codes are saved."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import strawberry

import resolvers.lock_out
from db.lock_out import Risk
from schema.common import Info, PageInfo, Role, edges_of, made_in_turns
from schema.failures import MfaNotEnabled


@strawberry.enum(description="Why somebody who has MFA on could not come back without their phone, or not for long.")
class LockOutReason(Enum):
    NO_CODES = strawberry.enum_value(
        "NO_CODES", description="They have no backup code: all are used, or they came without any."
    )
    FEW_CODES = strawberry.enum_value("FEW_CODES", description="They have 3 backup codes or fewer left.")
    CODES_NOT_SAVED = strawberry.enum_value(
        "CODES_NOT_SAVED",
        description="They have not said that they saved their backup codes, see confirmBackupCodesSaved, and have used "
        "none. Of codes from before that could be said nothing is known, and they do not count.",
    )
    ONLY_OWNER = strawberry.enum_value(
        "ONLY_OWNER", description="Beside another reason: they are the only owner, so nobody here could reset them."
    )


@strawberry.type(description="For one reason, how many.")
class LockOutReasonCount:
    reason: LockOutReason = strawberry.field(description="The reason.")
    count: int = strawberry.field(description="For how many staff it holds.")


@strawberry.type(description="A staff member who could not come back today, or not for long.")
class LockOutRisk:
    staff_id: strawberry.ID = strawberry.field(description="The membership's id, as on the roster.")
    email: str = strawberry.field(description="The person's email address.")
    role: Role = strawberry.field(description="The person's role in the account.")
    backup_codes_remaining: int = strawberry.field(description="Unspent backup codes.")
    reasons: list[LockOutReason] = strawberry.field(description="Why: one at least.")

    @classmethod
    def of(cls, risk: Risk) -> LockOutRisk:
        return cls(
            staff_id=strawberry.ID(str(risk.staff_id)),
            email=risk.email,
            role=Role[risk.role],
            backup_codes_remaining=risk.backup_codes_remaining,
            reasons=[LockOutReason[reason] for reason in risk.reasons],
        )


@strawberry.type(description="A risk at its place in the list.")
class LockOutRiskEdge:
    cursor: str = strawberry.field(description="Give as `after` to go on behind this one.")
    node: LockOutRisk = strawberry.field(description="The risk.")


async def _edges(self: LockOutForecast) -> list[LockOutRiskEdge]:
    return await edges_of(LockOutRiskEdge, self.page.cursor_of, self.page.risks, self.nodes)


@strawberry.type(description="Who could not come back today, by email: a page of them, and counts over all.")
class LockOutForecast:
    edges: list[LockOutRiskEdge] = strawberry.field(resolver=_edges, description="The page's risks with their cursors.")
    nodes: list[LockOutRisk] = strawberry.field(description="The page's risks.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")
    total_count: int = strawberry.field(description="How many staff are at risk, over all pages.")
    reason_counts: list[LockOutReasonCount] = strawberry.field(description="Each reason, for how many it holds.")
    page: strawberry.Private[resolvers.lock_out.Page]

    @classmethod
    async def of(cls, page: resolvers.lock_out.Page) -> LockOutForecast:
        return cls(
            nodes=await made_in_turns(LockOutRisk.of, page.risks),
            page_info=PageInfo.of(page.risks, page.cursor_of, page.has_next, page.has_previous),
            page=page,
            total_count=page.forecast.total,
            reason_counts=[
                LockOutReasonCount(reason=LockOutReason[reason], count=count)
                for reason, count in page.forecast.by_reason.items()
            ],
        )


@strawberry.type(description="The codes count as saved.")
class BackupCodesSaved:
    ok: bool = strawberry.field(description="Always true.")


ConfirmBackupCodesSavedResult = Annotated[
    BackupCodesSaved | MfaNotEnabled,
    strawberry.union("ConfirmBackupCodesSavedResult", description="What came of saying that the codes are saved."),
]


@strawberry.type
class LockOutMutation:
    @strawberry.mutation(
        description="The viewer says that the backup codes shown last are saved: to be asked once they are copied, "
        "downloaded or ticked off. Until then the account's lock-out forecast names the viewer."
    )
    async def confirm_backup_codes_saved(self, info: Info) -> ConfirmBackupCodesSavedResult | None:
        await resolvers.lock_out.save_codes(info.context)
        return BackupCodesSaved(ok=True)
