"""The roster: the account's staff, page by page."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from uuid import UUID

import strawberry

import resolvers.staff
import rules.addresses
import rules.links
from db.staff import Filter, Member
from rules.people import Person
from schema.common import Info, PageInfo, Role, edges_of, made_in_turns, told


@strawberry.enum(description="How a staff member's MFA stands.")
class StaffMfaState(Enum):
    ENABLED = strawberry.enum_value("ENABLED", description="Enrolled.")
    NOT_ENABLED = strawberry.enum_value(
        "NOT_ENABLED", description="Not enrolled; nothing is asked, or the grace period is running."
    )
    BLOCKED = strawberry.enum_value(
        "BLOCKED",
        description="Not enrolled and past the deadline, or reset by an admin: cannot continue until enrolled.",
    )


# An enum's own look-up is a call of Python, and a page makes a thousand.
ROLES, STATES = dict(Role.__members__), dict(StaffMfaState.__members__)


@strawberry.enum(description="Why a member's deadline is when it is.")
class MfaDeadlineReason(Enum):
    POLICY = strawberry.enum_value("POLICY", description="The account's requirement.")
    JOINED_LATER = strawberry.enum_value("JOINED_LATER", description="The member joined after it was turned on.")
    EXTENDED = strawberry.enum_value("EXTENDED", description="An owner or admin gave more time.")
    EXEMPTED = strawberry.enum_value(
        "EXEMPTED", description="An owner or admin exempted the member: until that ends nothing is asked."
    )
    RESET = strawberry.enum_value("RESET", description="An owner, admin or operator reset the member's MFA.")


@strawberry.enum(description="Whether a staff member has come.")
class StaffState(Enum):
    ACTIVE = strawberry.enum_value("ACTIVE", description="Has the role.")
    INVITED = strawberry.enum_value(
        "INVITED", description="Was invited and has not come: has the role once they have set a password by the link."
    )


@strawberry.type(description="An invitation that is open.")
class Invitation:
    id: strawberry.ID = strawberry.field(description="The invitation's id.")
    invited_at: datetime = strawberry.field(description="When it was sent, for the last time if more than once.")
    expires_at: datetime = strawberry.field(description="Until when its link works; inviting again sends another.")


@strawberry.type(description="Somebody with an account role, or invited to one.")
class StaffMember:
    id: strawberry.ID = strawberry.field(description="The membership's id.")
    email: str = strawberry.field(description="The person's email address.")
    role: Role = strawberry.field(description="The person's role in the account.")
    mfa_enabled: bool = strawberry.field(description="Whether the person has MFA on.")
    mfa_state: StaffMfaState = strawberry.field(description="How the person's MFA stands.")
    mfa_deadline: datetime | None = strawberry.field(
        description="When the member is stopped unless enrolled by then; null when nothing is asked."
    )
    mfa_deadline_reason: MfaDeadlineReason | None = strawberry.field(
        description="Why it is then; null when nothing is asked."
    )
    mfa_enabled_at: datetime | None = strawberry.field(description="Since when MFA is on; null when it is off.")
    last_reminded_at: datetime | None = strawberry.field(
        description="When the latest reminder was delivered to the mail server; null if none."
    )
    last_reminder_failed_at: datetime | None = strawberry.field(
        description="When the latest reminder was refused by the mail server; null once one has been delivered. "
        "Whoever was reminded by hand may be reminded again at once."
    )
    can_reset_mfa: bool = strawberry.field(description="Whether the viewer may reset this person's MFA now.")
    can_give_recovery_pass: bool = strawberry.field(
        description="Whether the viewer may give this person a recovery pass now: as a reset, but to nobody whose "
        "resets a second owner or admin must approve, in whichever account."
    )
    enrollment_stopped: bool = strawberry.field(
        description="Whether the person said of a reset that it was not their wish: they cannot set up MFA until an "
        "owner resets them again."
    )
    mfa_reset_waiting: bool = strawberry.field(
        description="Whether a reset of the person's MFA waits here for a second owner or admin: see mfaResetRequests."
    )
    state: StaffState = strawberry.field(description="Whether the person has come, or was only invited.")
    invitation: Invitation | None = strawberry.field(description="The open invitation; null once the person has come.")

    @classmethod
    def of(cls, member: Member, person: Person, account_id: UUID) -> StaffMember:
        """The member as this person sees them."""
        return cls(
            id=strawberry.ID(str(member.id)),
            email=member.email,
            role=ROLES[member.role],
            mfa_enabled=member.mfa_enabled_at is not None,
            mfa_state=STATES[member.mfa_state],
            mfa_deadline=member.mfa_deadline,
            mfa_deadline_reason=MfaDeadlineReason[member.mfa_deadline_reason] if member.mfa_deadline_reason else None,
            mfa_enabled_at=member.mfa_enabled_at,
            last_reminded_at=member.last_reminded_at,
            last_reminder_failed_at=member.last_reminder_failed_at,
            can_reset_mfa=resolvers.staff.can_reset(person, account_id, member),
            can_give_recovery_pass=resolvers.staff.can_give_pass(person, account_id, member),
            enrollment_stopped=member.enrollment_stopped,
            mfa_reset_waiting=member.has_reset_waiting,
            state=StaffState.INVITED if member.invited_at else StaffState.ACTIVE,
            invitation=_invitation(member) if member.invited_at else None,
        )


def _invitation(member: Member) -> Invitation:
    assert member.invited_at is not None
    return Invitation(
        id=strawberry.ID(str(member.id)),
        invited_at=member.invited_at,
        expires_at=member.invited_at + rules.links.INVITATION.lifetime,
    )


@strawberry.input(
    description="All given conditions hold together. search matches any part of the email, case-insensitively."
)
class StaffFilter:
    mfa_enabled: bool | None = strawberry.field(default=None, description="Whether MFA is on.")
    mfa_state: StaffMfaState | None = strawberry.field(default=None, description="How MFA stands.")
    role: Role | None = strawberry.field(default=None, description="The account role.")
    search: str | None = strawberry.field(default=None, description="Any part of the email, in any case.")
    state: StaffState | None = strawberry.field(default=None, description="Whether they have come.")

    def wanted(self) -> Filter:
        """The conditions as the roster takes them."""
        return Filter(
            mfa_enabled=self.mfa_enabled,
            mfa_state=self.mfa_state.name if self.mfa_state else None,
            role=self.role.name if self.role else None,
            search=None if self.search is None else rules.addresses.normalized(self.search),
            invited=None if self.state is None else self.state is StaffState.INVITED,
        )


@strawberry.type(description="A staff member at their place in the list.")
class StaffEdge:
    cursor: str = strawberry.field(description="Give as `after` to go on behind this one.")
    node: StaffMember = strawberry.field(description="The staff member.")


async def _edges(self: StaffConnection) -> list[StaffEdge]:
    return await edges_of(StaffEdge, self.page.cursor_of, self.page.members, self.nodes)


@strawberry.type(description="A page of staff, by email.")
class StaffConnection:
    edges: list[StaffEdge] = strawberry.field(resolver=_edges, description="The page's staff with their cursors.")
    nodes: list[StaffMember] = strawberry.field(description="The page's staff.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")
    notice: str | None = strawberry.field(
        description="'Showing the first 500 staff members.' when no page was asked for and there are more; null "
        "otherwise."
    )
    page: strawberry.Private[resolvers.staff.Page]
    account_id: strawberry.Private[UUID]
    wanted: strawberry.Private[Filter]

    @strawberry.field(description="How many staff the filter holds for, over all pages. Counted only when asked for.")
    async def total_count(self, info: Info) -> int:
        return await resolvers.staff.count(info.context, self.account_id, self.wanted)

    @classmethod
    async def of(
        cls, info: Info, page: resolvers.staff.Page, person: Person, account_id: UUID, wanted: Filter
    ) -> StaffConnection:
        """The page as this person sees it."""
        nodes = await made_in_turns(lambda member: StaffMember.of(member, person, account_id), page.members)
        return cls(
            nodes=nodes,
            page_info=PageInfo.of(page.members, page.cursor_of, page.has_next, page.has_previous),
            notice=page.notice and told(info, page.notice),
            page=page,
            account_id=account_id,
            wanted=wanted,
        )
