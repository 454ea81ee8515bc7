"""The people of an account as its directory sees them: staff, and those whom it has made inactive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.pool import Connection
from rules.people import Role


@dataclass(frozen=True)
class Entry:
    """A person in a directory. `said` is what it wrote of them, None where it has written nothing."""

    user_id: UUID
    email: str
    user_name: str
    external_id: str | None
    role: Role
    is_active: bool
    said: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Wanted:
    """Whom a directory looks for: all that is given must hold. Names and addresses are in their looked-up form."""

    user_id: UUID | None = None
    user_name: str | None = None
    email: str | None = None
    external_id: str | None = None


async def find(connection: Connection, account_id: UUID, wanted: Wanted) -> list[UUID]:
    """The ids of those for whom anything that is given holds; of strangers to the account, too."""
    rows = await connection.fetch(
        """
        SELECT $2::uuid AS id WHERE $2 IS NOT NULL
        UNION SELECT user_id FROM directory_people WHERE account_id = $1 AND user_name = $3
        UNION SELECT id FROM users WHERE email IN ($3, $4)
        UNION SELECT user_id FROM external_ids WHERE account_id = $1 AND external_id = $5
        """,
        account_id,
        wanted.user_id,
        wanted.user_name,
        wanted.email,
        wanted.external_id,
    )
    return [row["id"] for row in rows]


async def entries(connection: Connection, account_id: UUID, user_ids: list[UUID]) -> list[Entry]:
    """Those of these people who are in the account's directory, by their id."""
    rows = await connection.fetch(
        """
        SELECT person.user_id, users.email, coalesce(user_name, users.email) AS user_name, external_id, person.role,
            is_active, said, coalesce(directory_people.created_at, person.created_at) AS created_at,
            greatest(person.created_at, directory_people.updated_at, valid_from) AS updated_at
        FROM (
            SELECT user_id, role, created_at, true AS is_active FROM staff
            WHERE account_id = $1 AND user_id = ANY ($2) AND invited_at IS NULL
            UNION ALL
            SELECT user_id, inactive_role, created_at, false FROM directory_people
            WHERE account_id = $1 AND user_id = ANY ($2) AND inactive_role IS NOT NULL
        ) AS person
        JOIN users ON users.id = person.user_id
        LEFT JOIN directory_people ON directory_people.account_id = $1 AND directory_people.user_id = person.user_id
        LEFT JOIN external_ids ON external_ids.account_id = $1 AND external_ids.user_id = person.user_id
        LEFT JOIN member_history ON member_history.account_id = $1 AND member_history.user_id = person.user_id
            AND valid_to IS NULL
        ORDER BY person.user_id
        """,
        account_id,
        user_ids,
    )
    return [Entry(**{**row, "role": Role(row["role"])}) for row in rows]


async def page(connection: Connection, account_id: UUID, is_active: bool | None, offset: int, limit: int) -> list[UUID]:
    """The ids of up to `limit` people in the directory, by id; of the active or the inactive, or of both."""
    rows = await connection.fetch(
        """
        SELECT user_id FROM (
            SELECT user_id FROM staff WHERE account_id = $1 AND invited_at IS NULL AND $2 IS NOT false
            UNION ALL
            SELECT user_id FROM directory_people
            WHERE account_id = $1 AND inactive_role IS NOT NULL AND $2 IS NOT true
        ) AS person
        ORDER BY user_id OFFSET $3 LIMIT $4
        """,
        account_id,
        is_active,
        offset,
        limit,
    )
    return [row["user_id"] for row in rows]


async def count(connection: Connection, account_id: UUID, is_active: bool | None) -> int:
    """How many people there are in the directory."""
    counted: int = await connection.fetchval(
        """
        SELECT (SELECT count(*) FROM staff WHERE account_id = $1 AND invited_at IS NULL AND $2 IS NOT false)
            + (SELECT count(*) FROM directory_people
                WHERE account_id = $1 AND inactive_role IS NOT NULL AND $2::bool IS NOT true)
        """,
        account_id,
        is_active,
    )
    return counted


async def keep(connection: Connection, account_id: UUID, user_id: UUID, user_name: str, said: dict[str, Any]) -> None:
    """Keep what the directory says of the person. Raises UniqueViolationError when another has the name."""
    await connection.execute(
        """
        INSERT INTO directory_people AS known (account_id, user_id, user_name, said) VALUES ($1, $2, $3, $4)
        ON CONFLICT (account_id, user_id) DO UPDATE
        SET user_name = excluded.user_name, said = excluded.said, updated_at = now()
        WHERE (known.user_name, known.said) IS DISTINCT FROM (excluded.user_name, excluded.said)
        """,
        account_id,
        user_id,
        user_name,
        said,
    )


async def set_inactive_role(connection: Connection, account_id: UUID, user_id: UUID, role: Role) -> None:
    """Let the person, whom the directory has said something of, come back to this role."""
    await connection.execute(
        """
        UPDATE directory_people SET inactive_role = $3, updated_at = now()
        WHERE account_id = $1 AND user_id = $2 AND inactive_role IS DISTINCT FROM $3
        """,
        account_id,
        user_id,
        role,
    )


async def forget(connection: Connection, account_id: UUID, user_id: UUID) -> None:
    """Forget what the directory has said of the person, and its id for them."""
    await connection.execute(
        """
        WITH forgotten AS (
            DELETE FROM directory_people WHERE account_id = $1 AND user_id = $2
        )
        DELETE FROM external_ids WHERE account_id = $1 AND user_id = $2
        """,
        account_id,
        user_id,
    )
