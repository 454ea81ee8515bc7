"""Watching: what changes, as it changes."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry

import resolvers.access
import resolvers.watching
from schema.common import Info
from schema.policy import EnrollmentProgress
from schema.staff import StaffMember
from schema.viewer import Viewer

AccountId = Annotated[strawberry.ID, strawberry.argument(description="The account.")]


@strawberry.type(
    description="Watching. Whoever loses the permission, or their session, is cut off within a second with an error. A "
    "cookie that has been renewed, as when its owner shows again who they are, changes their password or signs others "
    "out, is a session no more: whoever came by the one before hears UNAUTHENTICATED, and for all else over that "
    "connection. A client whose session goes on subscribes again over a new one, which brings the new cookie."
)
class Subscription:
    @strawberry.subscription(
        description="The account's progress now, then again after every change. Owners, admins and super-admins only."
    )
    async def enrollment_progress(self, info: Info, account_id: AccountId) -> AsyncGenerator[EnrollmentProgress, None]:
        async for progress in resolvers.watching.enrollment_progress(
            info.context, resolvers.access.parse_id(account_id)
        ):
            yield EnrollmentProgress.of(progress)

    @strawberry.subscription(
        description="Each staff member whose MFA, role or membership changed, after it changed. Owners, admins and "
        "super-admins only. Asked for within 10 seconds of its socket's opening, and not anew, it tells of what has "
        "changed since then, too: whoever loads the roster once the socket is open misses nothing."
    )
    async def staff_member_changed(self, info: Info, account_id: AccountId) -> AsyncGenerator[StaffMember, None]:
        account = resolvers.access.parse_id(account_id)
        async for member, person in resolvers.watching.staff_member_changed(info.context, account):
            yield StaffMember.of(member, person, account)

    @strawberry.subscription(
        description="The viewer now, then after each change of their MFA or of a policy that binds them."
    )
    async def viewer_changed(self, info: Info) -> AsyncGenerator[Viewer, None]:
        async for person in resolvers.watching.viewer_changed(info.context):
            yield Viewer.of(person, info)
