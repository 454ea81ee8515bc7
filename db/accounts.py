"""Accounts and their policy."""

from __future__ import annotations

from uuid import UUID

import db.users
from db.pool import Connection
from rules.people import Account


async def load(connection: Connection, account_id: UUID) -> Account | None:
    """The account; None when there is none."""
    row = await connection.fetchrow(
        """
        SELECT id AS account_id, name AS account_name, required_since, grace_days, grace_deadline, policy_updated_at,
            joiner_days, required_of, confirm_reset_by_email, reset_approval
        FROM accounts WHERE id = $1
        """,
        account_id,
    )
    return db.users.account_from(row) if row else None
