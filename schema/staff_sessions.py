"""The sessions of staff, as owners and admins see and end them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

import db.sessions
import resolvers.access
import resolvers.staff_sessions
from schema.common import Info
from schema.failures import NotPermitted


@strawberry.type(description="One place where a staff member is signed in.")
class StaffSession:
    id: strawberry.ID = strawberry.field(description="The session's id; it is not its token.")
    created_at: datetime = strawberry.field(description="When it began.")
    last_used_at: datetime = strawberry.field(description="Its latest use, to the minute.")
    expires_at: datetime = strawberry.field(description="When it ends at the latest.")
    user_agent: str | None = strawberry.field(description="The browser or app that began it, as it called itself.")
    ip_address: str | None = strawberry.field(description="The address that it began from.")

    @classmethod
    def of(cls, session: db.sessions.Session) -> StaffSession:
        """The session as owners and admins see it."""
        return cls(
            id=strawberry.ID(str(session.id)),
            created_at=session.created_at,
            last_used_at=session.last_used_at,
            expires_at=session.expires_at,
            user_agent=session.user_agent,
            ip_address=session.ip_address,
        )


@strawberry.input(description="Which session of whom to end.")
class EndStaffSessionInput:
    account_id: strawberry.ID = strawberry.field(description="The account.")
    staff_id: strawberry.ID = strawberry.field(description="The membership's id, from the roster.")
    session_id: strawberry.ID = strawberry.field(description="One of the member's sessions.")


@strawberry.type(description="The session has ended, and the staff member is told by email.")
class StaffSessionEnded:
    session_id: strawberry.ID = strawberry.field(description="The id that the session had.")


EndStaffSessionResult = Annotated[
    StaffSessionEnded | NotPermitted,
    strawberry.union("EndStaffSessionResult", description="What came of ending the session."),
]


@strawberry.type
class StaffSessionMutation:
    @strawberry.mutation(
        description="Ends one session of a staff member. Owners and admins only; an admin ends no owner's, and nobody "
        "those of a person who has a role in an account that they do not manage."
    )
    async def end_staff_session(
        self,
        info: Info,
        input: Annotated[EndStaffSessionInput, strawberry.argument(description="Which.")],  # noqa: A002
    ) -> EndStaffSessionResult | None:
        session_id = resolvers.access.parse_id(input.session_id)
        await resolvers.staff_sessions.end(
            info.context,
            resolvers.access.parse_id(input.account_id),
            resolvers.access.parse_id(input.staff_id),
            session_id,
        )
        return StaffSessionEnded(session_id=strawberry.ID(str(session_id)))
