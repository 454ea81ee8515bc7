"""Signing in: how somebody stands who has shown a first factor."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from db.pool import Connection


@dataclass(frozen=True)
class Arrival:
    """Somebody who has shown a first factor, as they stand behind their lock."""

    user_id: UUID
    email: str
    has_factor: bool
    # A directory has made them inactive, and they have nothing elsewhere.
    is_shut_out: bool
    # They were reset, and enroll only by a link out of an email.
    needs_enrollment_link: bool
    # The accounts in which their exemption is marked as break-glass and holds.
    break_glass: list[UUID]


async def arrival(connection: Connection, user_id: UUID) -> Arrival | None:
    """All that a sign-in asks about the person, read under their lock."""
    row = await connection.fetchrow(
        """
        SELECT id AS user_id, email, EXISTS (SELECT FROM factors WHERE user_id = $1) AS has_factor,
            EXISTS (SELECT FROM directory_people WHERE user_id = $1 AND inactive_role IS NOT NULL)
                AND NOT is_super_admin
                AND NOT EXISTS (SELECT FROM staff WHERE user_id = $1 AND invited_at IS NULL)
                AND NOT EXISTS (
                    SELECT FROM portal_users AS portal
                    WHERE user_id = $1 AND NOT EXISTS (SELECT FROM directory_people
                        WHERE account_id = portal.account_id AND user_id = $1 AND inactive_role IS NOT NULL))
                AS is_shut_out,
            reenrollment_required_at IS NOT NULL AND enrollment_stopped_at IS NULL
                AND EXISTS (SELECT FROM staff JOIN accounts ON accounts.id = account_id
                    WHERE user_id = $1 AND invited_at IS NULL AND confirm_reset_by_email) AS needs_enrollment_link,
            ARRAY(SELECT account_id FROM mfa_exceptions
                WHERE user_id = $1 AND is_break_glass AND ended_at IS NULL AND until > now()) AS break_glass
        FROM users WHERE id = $1
        """,
        user_id,
    )
    return Arrival(**row) if row else None
