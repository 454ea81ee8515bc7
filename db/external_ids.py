"""What systems call people: an account's own ids, or the product's, which are of no account."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from db.pool import Connection


@dataclass(frozen=True)
class Known:
    """Somebody a system asks for.

    `is_shared` when they have more than the one account that was asked with, `is_awaited` when another one has invited
    them and they can still accept, which it can do without asking them.
    """

    id: UUID
    email: str
    is_shared: bool
    is_awaited: bool
    is_member: bool

    def is_within(self, account_id: UUID | None) -> bool:
        """Whether the person is of this account alone; without one, everybody is."""
        return account_id is None or (self.is_member and not self.is_shared)


async def find(
    connection: Connection,
    account_id: UUID | None,
    *,
    external_id: str | None = None,
    user_id: UUID | None = None,
    email: str | None = None,
) -> Known | None:
    """The person with exactly one of these, the email in lower case."""
    row = await connection.fetchrow(
        """
        SELECT id, email,
            is_super_admin
            OR EXISTS (SELECT FROM staff WHERE user_id = users.id AND account_id <> $1 AND invited_at IS NULL)
            OR EXISTS (SELECT FROM portal_users WHERE user_id = users.id AND account_id <> $1)
            OR EXISTS (SELECT FROM directory_people WHERE user_id = users.id AND account_id <> $1) AS is_shared,
            EXISTS (SELECT FROM staff WHERE user_id = users.id AND account_id <> $1 AND invitation_is_open(staff))
                AS is_awaited,
            EXISTS (SELECT FROM staff WHERE user_id = users.id AND account_id = $1 AND invited_at IS NULL)
            OR EXISTS (SELECT FROM portal_users WHERE user_id = users.id AND account_id = $1) AS is_member
        FROM users
        WHERE CASE
            WHEN $2::text IS NOT NULL THEN id = (
                SELECT user_id FROM external_ids WHERE account_id IS NOT DISTINCT FROM $1 AND external_id = $2)
            WHEN $3::uuid IS NOT NULL THEN id = $3
            ELSE email = $4
        END
        """,
        account_id,
        external_id,
        user_id,
        email,
    )
    return Known(**row) if row else None


async def of(connection: Connection, account_id: UUID | None, user_id: UUID) -> str | None:
    """What the systems call this person; None when nothing yet."""
    found: str | None = await connection.fetchval(
        "SELECT external_id FROM external_ids WHERE account_id IS NOT DISTINCT FROM $1 AND user_id = $2",
        account_id,
        user_id,
    )
    return found


async def bind(connection: Connection, account_id: UUID | None, external_id: str, user_id: UUID) -> None:
    """Call the person so, unless the id is another's or the person has one."""
    await connection.execute(
        "INSERT INTO external_ids (account_id, external_id, user_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        account_id,
        external_id,
        user_id,
    )


async def unbind(connection: Connection, account_id: UUID | None, external_id: str | None, user_id: UUID) -> None:
    """Call the person nothing any more, and nobody by this id."""
    await connection.execute(
        """
        DELETE FROM external_ids
        WHERE account_id IS NOT DISTINCT FROM $1 AND (external_id = $2 OR user_id = $3)
        """,
        account_id,
        external_id,
        user_id,
    )
