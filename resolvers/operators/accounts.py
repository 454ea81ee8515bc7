"""Accounts, and who is added to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import db.invitations
import db.memberships
import db.operators
import db.outbox
import db.users
import resolvers.joining
import resolvers.operators.finding
import rules.invitations
from db.pool import Connection, Database
from resolvers.operators.finding import OperatorError
from rules.events.staff import AccountCreated, PortalUserAdded, StaffAdded, StaffInvited
from rules.failures import TooManyAttempts
from rules.people import Role


@dataclass(frozen=True)
class Newcomer:
    """Who is added: a checked, lower-case email, and the password's hash if the person turns out to be new."""

    email: str
    password_hash: str | None


async def create_account(database: Database, name: str, owner: Newcomer) -> tuple[UUID, UUID, UUID]:
    """A new account with its owner; the ids of account, user and staff member."""
    async with database.transaction() as connection:
        account_id = await db.operators.add_account(connection, name)
        await db.outbox.append(connection, AccountCreated(account_id=account_id))
        user_id = await _find_or_add(connection, owner)
        return account_id, user_id, await _join(connection, account_id, user_id, owner.email, Role.OWNER)


async def add_staff(database: Database, account_id: UUID, person: Newcomer, role: Role) -> tuple[UUID, UUID]:
    """Give a person a role in an account; the ids of user and staff member. Raises OperatorError."""
    async with database.transaction() as connection:
        await resolvers.operators.finding.keep_account(connection, account_id)
        user_id = await _find_or_add(connection, person)
        return user_id, await _join(connection, account_id, user_id, person.email, role)


async def invite_staff(database: Database, account_id: UUID, email: str, role: Role) -> tuple[UUID, UUID, bool]:
    """The same without a password: whoever has none is invited to set one, and has the role once they have come.

    Whether they were invited comes last. Inviting again replaces the link. Raises OperatorError.
    """
    async with database.transaction() as connection:
        await resolvers.operators.finding.keep_account(connection, account_id)
        await db.invitations.add_person(connection, email)
        user_id = await resolvers.operators.finding.person(connection, email)
        await db.users.lock(connection, user_id)
        known = await db.users.credentials_of(connection, user_id)
        if known is not None and known.password_hash is not None:
            return user_id, await _join(connection, account_id, user_id, email, role), False
        standing = await db.invitations.standing(connection, account_id, user_id)
        if standing is not None and standing.invited_at is not None:
            _require_pause(standing.invited_at, standing.now, email)
        if not await db.invitations.open_invitation(connection, account_id, user_id, role):
            raise OperatorError(f"{email} is staff of this account already.")
        await db.outbox.append(connection, StaffInvited(account_id=account_id, subject_id=user_id, role=role))
        invited = await db.invitations.standing(connection, account_id, user_id)
        assert invited is not None
        return user_id, invited.staff_id, True


def _require_pause(invited_at: datetime, now: datetime, email: str) -> None:
    try:
        rules.invitations.require_pause(invited_at, now, email)
    except TooManyAttempts as early:
        raise OperatorError(early.message) from None


async def add_portal_user(database: Database, account_id: UUID, person: Newcomer) -> UUID:
    """Let a person sign in to an account's portal; the user's id. Raises OperatorError."""
    async with database.transaction() as connection:
        await resolvers.operators.finding.keep_account(connection, account_id)
        user_id = await _find_or_add(connection, person)
        if not await db.operators.add_portal_user(connection, account_id, user_id):
            raise OperatorError(f"{person.email} is a portal user of this account already.")
        await db.outbox.append(connection, PortalUserAdded(account_id=account_id, subject_id=user_id))
        return user_id


async def _find_or_add(connection: Connection, person: Newcomer) -> UUID:
    if (user_id := await db.operators.keep_person(connection, person.email)) is not None:
        return user_id
    if person.password_hash is None:
        raise OperatorError(f"{person.email} is new and needs a password.")
    return await db.operators.add_person(connection, person.email, person.password_hash)


async def _join(connection: Connection, account_id: UUID, user_id: UUID, email: str, role: Role) -> UUID:
    staff_id = await db.memberships.join(connection, account_id, user_id, role)
    if staff_id is None:
        raise OperatorError(f"{email} is staff of this account already.")
    await db.outbox.append(connection, StaffAdded(account_id=account_id, subject_id=user_id, role=role))
    await resolvers.joining.tell_joined(connection, account_id, [user_id])
    return staff_id
