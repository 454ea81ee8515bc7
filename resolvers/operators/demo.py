"""The demo account: the people that the documentation speaks of, with one password, in an empty database only."""

from __future__ import annotations

from collections.abc import Callable

import db.memberships
import db.operators
import db.outbox
import rules.passwords
from db.pool import Connection, Database
from rules.events.staff import AccountCreated, PortalUserAdded, StaffAdded, SuperAdminGranted
from rules.people import Role

ACCOUNT = "Agency"
STAFF = {
    "olive@agency.example": Role.OWNER,
    "adam@agency.example": Role.ADMIN,
    "mia@agency.example": Role.MEMBER,
    "max@agency.example": Role.MEMBER,
    "mona@agency.example": Role.MEMBER,
    "noah@agency.example": Role.MEMBER,
}
PORTAL_USER = "petra@agency.example"
SUPER_ADMIN = "sue@gatehouse.example"


async def make(database: Database, password: Callable[[], str]) -> bool:
    """Make the demo account; false, and nothing is changed or asked for, when the database is not empty."""
    async with database.transaction() as connection:
        if not await db.operators.claim_empty(connection):
            return False
        await _make(connection, rules.passwords.hash_password(password()))
        return True


async def _make(connection: Connection, password_hash: str) -> None:
    account_id = await db.operators.add_account(connection, ACCOUNT)
    await db.outbox.append(connection, AccountCreated(account_id=account_id))
    for email, role in STAFF.items():
        user_id = await db.operators.add_person(connection, email, password_hash)
        await db.memberships.join(connection, account_id, user_id, role)
        await db.outbox.append(connection, StaffAdded(account_id=account_id, subject_id=user_id, role=role))
    user_id = await db.operators.add_person(connection, PORTAL_USER, password_hash)
    await db.operators.add_portal_user(connection, account_id, user_id)
    await db.outbox.append(connection, PortalUserAdded(account_id=account_id, subject_id=user_id))
    user_id = await db.operators.add_person(connection, SUPER_ADMIN, password_hash)
    await db.operators.grant_super_admin(connection, user_id)
    await db.outbox.append(connection, SuperAdminGranted(subject_id=user_id))
