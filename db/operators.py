"""What an operator's commands write: people, accounts and memberships."""

from __future__ import annotations

from uuid import UUID

from db.pool import Connection

DEMO_LOCK_ID = 0x6A7E_0002  # any constant that is ours alone


async def is_known(connection: Connection, email: str) -> bool:
    """Whether a person signs in with `email` (lower-case)."""
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM users WHERE email = $1)", email))


async def keep_person(connection: Connection, email: str) -> UUID | None:
    """The id of the person with `email`, locked against deletion; None when there is none."""
    found: UUID | None = await connection.fetchval("SELECT id FROM users WHERE email = $1 FOR KEY SHARE", email)
    return found


async def add_person(connection: Connection, email: str, password_hash: str) -> UUID:
    """The id of the person with `email`: a new one, or one who was there and keeps the password."""
    user_id: UUID = await connection.fetchval(
        """
        INSERT INTO users (email, password_hash) VALUES ($1, $2)
        ON CONFLICT (email) DO UPDATE SET email = users.email
        RETURNING id
        """,
        email,
        password_hash,
    )
    return user_id


async def add_account(connection: Connection, name: str) -> UUID:
    """A new account's id."""
    account_id: UUID = await connection.fetchval("INSERT INTO accounts (name) VALUES ($1) RETURNING id", name)
    return account_id


async def keep_account(connection: Connection, account_id: UUID) -> bool:
    """Keep the account and its policy as they are until the transaction ends; false when there is none."""
    return bool(await connection.fetchval("SELECT true FROM accounts WHERE id = $1 FOR SHARE", account_id))


async def staff_of(connection: Connection, account_id: UUID, user_id: UUID) -> dict[str, str]:
    """The staff member's id, email and role, as text."""
    row = await connection.fetchrow(
        "SELECT id::text AS staff_id, email, role FROM staff WHERE account_id = $1 AND user_id = $2",
        account_id,
        user_id,
    )
    assert row is not None
    return dict(row)


async def add_portal_user(connection: Connection, account_id: UUID, user_id: UUID) -> bool:
    """False when the person is a portal user of the account already."""
    return bool(
        await connection.fetchval(
            """
            INSERT INTO portal_users (account_id, user_id) VALUES ($1, $2)
            ON CONFLICT (account_id, user_id) DO NOTHING
            RETURNING true
            """,
            account_id,
            user_id,
        )
    )


async def grant_super_admin(connection: Connection, user_id: UUID) -> bool:
    """False when the person is a super-admin already."""
    return bool(
        await connection.fetchval(
            "UPDATE users SET is_super_admin = true WHERE id = $1 AND NOT is_super_admin RETURNING true", user_id
        )
    )


async def claim_empty(connection: Connection) -> bool:
    """Whether nobody and no account is there; until this transaction ends nobody else is told so."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", DEMO_LOCK_ID)
    return bool(
        await connection.fetchval("SELECT NOT EXISTS (SELECT FROM users) AND NOT EXISTS (SELECT FROM accounts)")
    )
