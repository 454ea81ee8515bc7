"""Changing who has which role: by hand, and by the thousand. An account always keeps an owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from db.pool import Connection
from rules.people import Role


async def join(connection: Connection, account_id: UUID, user_id: UUID, role: Role) -> UUID | None:
    """Let the person be staff, invited before or not; the membership's id, or None when they have come already."""
    staff_id: UUID | None = await connection.fetchval(
        """
        INSERT INTO staff (account_id, user_id, email, role) SELECT $1, id, email, $3 FROM users WHERE id = $2
        ON CONFLICT (account_id, user_id) DO UPDATE
        SET role = excluded.role, invited_at = NULL, invited_by = NULL, created_at = now()
        WHERE staff.invited_at IS NOT NULL
        RETURNING id
        """,
        account_id,
        user_id,
        role,
    )
    return staff_id


async def change_role(connection: Connection, account_id: UUID, email: str, role: Role) -> UUID | None:
    """Give a staff member another role, under the account's lock; their id, or None when nothing may change.

    Nothing may change when they have the role, are not staff here, or are the last owner.
    """
    user_id: UUID | None = await connection.fetchval(
        """
        UPDATE staff SET role = $3
        WHERE account_id = $1 AND email = $2 AND role <> $3
            AND (role <> 'OWNER' OR EXISTS (SELECT FROM staff AS other
                WHERE other.account_id = $1 AND other.role = 'OWNER' AND other.invited_at IS NULL
                    AND other.email <> $2))
        RETURNING user_id
        """,
        account_id,
        email,
        role,
    )
    return user_id


async def remove(connection: Connection, account_id: UUID, email: str) -> UUID | None:
    """Take a staff member's role away, under the account's lock; their id, or None: not staff here, or last owner."""
    user_id: UUID | None = await connection.fetchval(
        """
        DELETE FROM staff
        WHERE account_id = $1 AND email = $2
            AND (role <> 'OWNER' OR EXISTS (SELECT FROM staff AS other
                WHERE other.account_id = $1 AND other.role = 'OWNER' AND other.invited_at IS NULL
                    AND other.email <> $2))
        RETURNING user_id
        """,
        account_id,
        email,
    )
    return user_id


async def role_of(connection: Connection, account_id: UUID, email: str) -> Role | None:
    """The person's role in the account; None when they are not staff of it."""
    role = await connection.fetchval("SELECT role FROM staff WHERE account_id = $1 AND email = $2", account_id, email)
    return Role(role) if role else None


async def staff_ids(connection: Connection, account_id: UUID, emails: list[str]) -> dict[str, UUID]:
    """The memberships of these in the account, each by email; whoever is not staff of it is left out."""
    rows = await connection.fetch(
        "SELECT email, id FROM staff WHERE account_id = $1 AND email = ANY ($2)", account_id, emails
    )
    return {row["email"]: row["id"] for row in rows}


@dataclass(frozen=True)
class Joined:
    """Somebody who was not staff before: whether they are new, and whether the role waits until they come."""

    user_id: UUID
    email: str
    role: Role
    is_new: bool
    is_invited: bool


async def add_many(
    connection: Connection,
    account_id: UUID,
    emails: list[str],
    roles: list[str],
    hashes: list[str | None],
    invite: bool,
    lifetime: timedelta,
) -> list[Joined]:
    """Give each of these different emails a role; with `invite` those who have no password are invited to it.

    Known people keep their passwords, or that they have none, and whoever is staff here keeps the role. Whoever is only
    invited counts as not being it: their role begins, or they are invited anew, once the link's `lifetime` is over.
    """
    new = await _add_people(connection, emails, hashes)
    # Another statement, which sees whom another import has just added.
    rows = await connection.fetch(
        """
        WITH people AS (
            -- held in the order in which all else holds people, and nothing of theirs is changed
            SELECT id, email, password_hash FROM users WHERE email = ANY ($2) ORDER BY id FOR KEY SHARE
        ), wanted AS (
            SELECT people.id, email, given.role, $4 AND people.password_hash IS NULL AS is_invited
            FROM people JOIN unnest($2::text[], $3::text[]) AS given (email, role) USING (email)
        ), joined AS (
            INSERT INTO staff (account_id, user_id, email, role, invited_at)
            SELECT $1, id, email, role, CASE WHEN is_invited THEN now() END FROM wanted ORDER BY id
            ON CONFLICT (account_id, user_id) DO NOTHING
            RETURNING user_id, email, role, invited_at IS NOT NULL AS is_invited
        ), awaited AS (
            UPDATE staff
            SET role = wanted.role, invited_by = NULL, invited_at = CASE WHEN is_invited THEN now() END,
                created_at = CASE WHEN is_invited THEN staff.created_at ELSE now() END
            FROM wanted
            WHERE account_id = $1 AND user_id = wanted.id AND invited_at IS NOT NULL
                AND (NOT is_invited OR invited_at <= now() - $5::interval)
            RETURNING user_id, staff.email, staff.role, is_invited
        )
        TABLE joined UNION ALL TABLE awaited
        """,
        account_id,
        emails,
        roles,
        invite,
        lifetime,
    )
    return [Joined(is_new=row["email"] in new, **row) for row in rows]


async def _add_people(connection: Connection, emails: list[str], hashes: list[str | None]) -> set[str]:
    """Let there be a person with each of these; the emails of those who are new."""
    rows = await connection.fetch(
        """
        INSERT INTO users (email, password_hash)
        SELECT email, password_hash FROM unnest($1::text[], $2::text[]) AS given (email, password_hash) ORDER BY email
        ON CONFLICT (email) DO NOTHING
        RETURNING email
        """,
        emails,
        hashes,
    )
    return {row["email"] for row in rows}


async def set_super_admin(connection: Connection, email: str, granted: bool) -> UUID | None:
    """Make the person a platform super-admin, or no more; their id, None when that holds already."""
    user_id: UUID | None = await connection.fetchval(
        "UPDATE users SET is_super_admin = $2 WHERE email = $1 AND is_super_admin <> $2 RETURNING id", email, granted
    )
    return user_id


async def user_id_of(connection: Connection, email: str) -> UUID | None:
    """The id of whoever signs in with `email`."""
    user_id: UUID | None = await connection.fetchval("SELECT id FROM users WHERE email = $1", email)
    return user_id


async def accounts_of(connection: Connection, user_id: UUID) -> list[UUID]:
    """The accounts that the person has a role in."""
    rows = await connection.fetch("SELECT account_id FROM staff WHERE user_id = $1 AND invited_at IS NULL", user_id)
    return [row["account_id"] for row in rows]


async def can_be_reset(connection: Connection, user_id: UUID) -> bool:
    """Whether somebody else manages all accounts in which the person has a role, as far as that one may reset them.

    Two do where a second one must approve it. Of an only owner nobody does, nor of whoever runs the platform: an
    operator's command can alone.
    """
    found: bool = await connection.fetchval(
        """
        WITH held AS MATERIALIZED (SELECT account_id, role FROM roles_to_reckon_with($1)), able AS (
            SELECT FROM held JOIN staff AS own ON own.account_id = held.account_id
            WHERE own.user_id <> $1 AND own.invited_at IS NULL
                AND (own.role = 'OWNER' OR own.role = 'ADMIN' AND held.role <> 'OWNER')
            GROUP BY own.user_id HAVING count(*) = (SELECT count(*) FROM held)
        )
        SELECT NOT is_super_admin AND (SELECT count(*) FROM able) > CASE WHEN EXISTS (
            SELECT FROM held JOIN accounts ON accounts.id = account_id WHERE reset_needs_approval(reset_approval, role)
        ) THEN 1 ELSE 0 END
        FROM users WHERE id = $1
        """,
        user_id,
    )
    return found


async def manages_any(connection: Connection, user_id: UUID) -> bool:
    """Whether the person is an owner or admin anywhere."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM staff WHERE user_id = $1 AND manages(role) AND invited_at IS NULL)",
        user_id,
    )
    return found
