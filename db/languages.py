"""The languages that people and accounts have chosen."""

from __future__ import annotations

from uuid import UUID

from db.pool import Connection


async def of_person(connection: Connection, user_id: UUID) -> str | None:
    """The person's choice; None while they have made none."""
    language: str | None = await connection.fetchval("SELECT language FROM users WHERE id = $1", user_id)
    return language


async def set_of_person(connection: Connection, user_id: UUID, language: str | None) -> bool:
    """Let it be the person's; false when it was already."""
    status = await connection.execute(
        "UPDATE users SET language = $2 WHERE id = $1 AND language IS DISTINCT FROM $2", user_id, language
    )
    return status == "UPDATE 1"


async def of_account(connection: Connection, account_id: UUID) -> str | None:
    """The account's; None while nobody has set one."""
    language: str | None = await connection.fetchval("SELECT language FROM accounts WHERE id = $1", account_id)
    return language


async def set_of_account(connection: Connection, account_id: UUID, language: str) -> bool:
    """Let it be the account's; false when it was already."""
    status = await connection.execute(
        "UPDATE accounts SET language = $2 WHERE id = $1 AND language IS DISTINCT FROM $2", account_id, language
    )
    return status == "UPDATE 1"
