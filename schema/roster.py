"""The roster: the account's staff, page by page."""

from __future__ import annotations

from typing import cast
from uuid import UUID

import strawberry

import resolvers.staff
import rules.addresses
from db.staff import Filter
from rules.people import Person
from schema.common import Info, PageInfo, Role, edges_of, told
from schema.staff import SeenMember, StaffMember, StaffMfaState, StaffState


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


def _nodes(self: StaffConnection) -> list[StaffMember]:
    # Whoever reads a field of one finds what a StaffMember has there.
    seen = [SeenMember(member, self.person, self.account_id) for member in self.page.members]
    return cast("list[StaffMember]", seen)


async def _edges(self: StaffConnection) -> list[StaffEdge]:
    return await edges_of(StaffEdge, self.page.cursor_of, self.page.members, _nodes(self))


def _page_info(self: StaffConnection) -> PageInfo:
    page = self.page
    return PageInfo.of(page.members, page.cursor_of, page.has_next, page.has_previous)


@strawberry.type(description="A page of staff, by email.")
class StaffConnection:
    edges: list[StaffEdge] = strawberry.field(resolver=_edges, description="The page's staff with their cursors.")
    nodes: list[StaffMember] = strawberry.field(resolver=_nodes, description="The page's staff.")
    page_info: PageInfo = strawberry.field(resolver=_page_info, description="Where the page lies.")
    notice: str | None = strawberry.field(
        description="'Showing the first 500 staff members.' when no page was asked for and there are more; null "
        "otherwise."
    )
    page: strawberry.Private[resolvers.staff.Page]
    person: strawberry.Private[Person]
    account_id: strawberry.Private[UUID]
    wanted: strawberry.Private[Filter]

    @strawberry.field(description="How many staff the filter holds for, over all pages. Counted only when asked for.")
    async def total_count(self, info: Info) -> int:
        return await resolvers.staff.count(info.context, self.account_id, self.wanted)

    @classmethod
    def of(
        cls, info: Info, page: resolvers.staff.Page, person: Person, account_id: UUID, wanted: Filter
    ) -> StaffConnection:
        """The page as this person sees it."""
        return cls(
            notice=page.notice and told(info, page.notice),
            page=page,
            person=person,
            account_id=account_id,
            wanted=wanted,
        )
