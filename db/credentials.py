"""What is known of a person whose password is to be set."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from db.pool import Connection


@dataclass(frozen=True)
class Subject:
    """Whose password is to be set; `needs_second_factor` when one is on, or is required of them."""

    id: UUID
    email: str
    has_password: bool
    needs_second_factor: bool


async def subject(connection: Connection, user_id: UUID, invited_as: UUID | None) -> Subject | None:
    """The person; `invited_as` is a membership that will hold from now on, and its account's policy with it."""
    row = await connection.fetchrow(
        """
        SELECT id, email, password_hash IS NOT NULL AS has_password,
            reenrollment_required_at IS NOT NULL
            OR EXISTS (SELECT FROM factors WHERE factors.user_id = users.id)
            OR EXISTS (SELECT FROM staff JOIN accounts ON accounts.id = account_id
                WHERE staff.user_id = users.id AND (invited_at IS NULL OR staff.id = $2)
                    AND required_since IS NOT NULL) AS needs_second_factor
        FROM users WHERE id = $1
        """,
        user_id,
        invited_as,
    )
    return Subject(**row) if row else None
