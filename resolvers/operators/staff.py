"""Who has which role, whose MFA is reset, and who runs the platform."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import db.given
import db.memberships
import db.outbox
import db.person_reset
import db.sessions
import db.staff
import db.users
import resolvers.joining
import resolvers.operators.finding
import resolvers.staff
import rules.standing
from db.pool import Connection, Database
from db.staff import Filter, Member
from resolvers.operators.finding import OperatorError
from rules.events.base import PersonEvent
from rules.events.mfa import MfaReset
from rules.events.staff import StaffRemoved, StaffRoleChanged, SuperAdminGranted, SuperAdminRevoked
from rules.people import Role

PAGE = 1000


async def list_staff(database: Database, account_id: UUID) -> AsyncIterator[Member]:
    """Everyone with a role in the account, by email. Raises OperatorError."""
    after: tuple[str, UUID] | None = None
    async with database.connection() as connection:
        await resolvers.operators.finding.keep_account(connection, account_id)
        while members := await db.staff.page(connection, account_id, Filter(), after, PAGE):
            for member in members:
                yield member
            after = (members[-1].email, members[-1].id)


async def change_role(database: Database, account_id: UUID, email: str, role: Role) -> None:
    """Give a staff member another role. Raises OperatorError."""
    async with database.transaction() as connection:
        await resolvers.operators.finding.lock_account(connection, account_id)
        before = await db.memberships.role_of(connection, account_id, email)
        user_id = await db.memberships.change_role(connection, account_id, email, role)
        if user_id is None or before is None:
            raise await _refusal(connection, account_id, email, f"{email} has that role already.", role)
        await db.outbox.append(connection, StaffRoleChanged(account_id=account_id, subject_id=user_id, role=role))
        await resolvers.joining.tell_promoted(connection, account_id, user_id, before, role)


async def remove_staff(database: Database, account_id: UUID, email: str) -> None:
    """Take a staff member's role away. Raises OperatorError."""
    async with database.transaction() as connection:
        await resolvers.operators.finding.lock_account(connection, account_id)
        # Two accounts that remove somebody at once: the second one sees that it was the last role.
        if (known_id := await db.memberships.user_id_of(connection, email)) is not None:
            await db.users.lock(connection, known_id)
        user_id = await db.memberships.remove(connection, account_id, email)
        if user_id is None:
            raise await _refusal(connection, account_id, email, "", None)
        await db.sessions.end_of_outsider(connection, user_id)
        await db.outbox.append(connection, StaffRemoved(account_id=account_id, subject_id=user_id))


async def reset_mfa(database: Database, email: str, reason: str | None = None) -> None:
    """Take anybody's factor and sessions away; they must enroll anew, and are emailed. Raises OperatorError.

    Nobody has to approve it.
    """
    with resolvers.operators.finding.plainly():
        words = None if reason is None else rules.standing.checked_reason(reason)
    async with database.transaction() as connection:
        user_id = await resolvers.operators.finding.person(connection, email)
        await db.given.lock(connection, [user_id])
        if not await resolvers.staff.take_factor(connection, user_id):
            raise OperatorError(f"{email} has not set up MFA, so there is nothing to reset.")
        await db.person_reset.end_everything(connection, user_id, None)
        await db.outbox.append(connection, MfaReset(subject_id=user_id, reason=words))


async def set_super_admin(database: Database, email: str, granted: bool) -> None:
    """Make somebody a platform super-admin, or no more. Raises OperatorError."""
    async with database.transaction() as connection:
        await resolvers.operators.finding.person(connection, email)
        user_id = await db.memberships.set_super_admin(connection, email, granted)
        if user_id is None:
            raise OperatorError(f"{email} is {'a super-admin already' if granted else 'no super-admin'}.")
        await db.sessions.end_of_outsider(connection, user_id)
        told: type[PersonEvent] = SuperAdminGranted if granted else SuperAdminRevoked
        await db.outbox.append(connection, told(subject_id=user_id))


async def _refusal(
    connection: Connection, account_id: UUID, email: str, otherwise: str, wanted: Role | None
) -> OperatorError:
    role = await db.memberships.role_of(connection, account_id, email)
    if role is None:
        return resolvers.operators.finding.not_staff(email)
    if role is Role.OWNER and role is not wanted:
        return OperatorError(f"{email} is the last owner of the account. Make somebody else an owner first.")
    return OperatorError(otherwise)
