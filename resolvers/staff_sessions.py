"""The sessions of an account's staff, which owners and admins see without their tokens, and end one by one."""

from __future__ import annotations

from uuid import UUID

import db.given
import db.outbox
import db.sessions
import db.staff
import resolvers.access
import resolvers.staff
from db.sessions import Session
from db.staff import Member
from resolvers.context import Context
from rules.events.staff import StaffSessionEnded
from rules.failures import NotFound
from rules.people import Person, Role

NOT_ONESELF = "End your own sessions on your own security page."


async def live(context: Context, account_id: UUID, staff_id: UUID) -> list[Session]:
    """The member's live sessions, newest use first. Raises what viewed_account raises, and NotFound."""
    await resolvers.access.viewed_account(context, account_id)
    person = await context.person()
    async with context.database.connection() as connection:
        user_id = await db.staff.user_of(connection, account_id, staff_id)
        if user_id is None:
            raise NotFound
        return await db.sessions.live(connection, user_id, person.session_id, context.service.limits.session_idle)


async def end(context: Context, account_id: UUID, staff_id: UUID, session_id: UUID) -> None:
    """End one of the member's sessions, and what they gave or asked for; they are emailed.

    Raises what managed_account raises, NotFound, and NotPermitted (oneself, or may_end_sessions).
    """
    person, _ = await resolvers.access.managed_account(context, account_id, to="end sessions of its staff")
    resolvers.access.require_freshness(person)
    async with context.changing(account_id) as connection:
        member = await resolvers.staff.lock_member(
            connection, person, account_id, staff_id, NOT_ONESELF, _why_not, takes_back=True
        )
        if not await db.sessions.end_of(connection, member.user_id, session_id):
            raise NotFound
        await db.given.take_back(connection, member.user_id, person.id, context.client)
        await db.outbox.append(
            connection, StaffSessionEnded(account_id=account_id, subject_id=member.user_id, actor_id=person.id)
        )


def _why_not(person: Person, account_id: UUID, member: Member) -> str | None:
    return person.may_end_sessions(Role(member.role), account_id, member.elsewhere, member.owned_elsewhere)
