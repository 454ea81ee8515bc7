"""The sessions of an account's staff, which owners and admins see without their tokens, and end one by one."""

from __future__ import annotations

from uuid import UUID

from db import outbox, sessions, staff, users
from db.sessions import Session
from resolvers import access
from resolvers.context import Context
from rules.events.staff import StaffSessionEnded
from rules.failures import NotFound, NotPermitted
from rules.people import Role


async def live(context: Context, account_id: UUID, staff_id: UUID) -> list[Session]:
    """The member's live sessions, newest use first. Raises what viewed_account raises, and NotFound."""
    await access.viewed_account(context, account_id)
    person = await context.person()
    async with context.database.connection() as connection:
        user_id = await staff.user_of(connection, account_id, staff_id)
        if user_id is None:
            raise NotFound
        return await sessions.live(connection, user_id, person.session_id, context.service.limits.session_idle)


async def end(context: Context, account_id: UUID, staff_id: UUID, session_id: UUID) -> None:
    """End one of the member's sessions; they are emailed.

    Raises what managed_account raises, NotFound, and NotPermitted (oneself, or may_end_sessions).
    """
    person, _ = await access.managed_account(context, account_id, to="end sessions of its staff")
    access.require_freshness(person)
    async with context.changing(account_id) as connection:
        user_id = await staff.user_of(connection, account_id, staff_id)
        if user_id is None:
            raise NotFound
        if user_id == person.id:
            raise NotPermitted("End your own sessions on your own security page.")
        await users.lock_all(connection, [person.id, user_id])
        await access.confirm_manager(connection, person, account_id)
        found = await staff.members(connection, account_id, [user_id])
        if not found:
            raise NotFound  # they left meanwhile
        (member,) = found
        reason = person.may_end_sessions(Role(member.role), account_id, member.elsewhere, member.owned_elsewhere)
        if reason is not None:
            raise NotPermitted(reason)
        if not await sessions.end_of(connection, user_id, session_id):
            raise NotFound
        await outbox.append(
            connection, StaffSessionEnded(account_id=account_id, subject_id=user_id, actor_id=person.id)
        )
