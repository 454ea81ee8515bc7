"""Accounts, and who is added to them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import db.operators
import db.outbox
from db.pool import Connection, Database
from resolvers.operators.finding import OperatorError, keep_account
from rules.events.staff import AccountCreated, PortalUserAdded, StaffAdded
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
        await keep_account(connection, account_id)
        user_id = await _find_or_add(connection, person)
        return user_id, await _join(connection, account_id, user_id, person.email, role)


async def add_portal_user(database: Database, account_id: UUID, person: Newcomer) -> UUID:
    """Let a person sign in to an account's portal; the user's id. Raises OperatorError."""
    async with database.transaction() as connection:
        await keep_account(connection, account_id)
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
    staff_id = await db.operators.add_staff(connection, account_id, user_id, role)
    if staff_id is None:
        raise OperatorError(f"{email} is staff of this account already.")
    await db.outbox.append(connection, StaffAdded(account_id=account_id, subject_id=user_id, role=role))
    return staff_id
