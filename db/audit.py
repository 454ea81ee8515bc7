"""The audit log: the events that show in an account, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.pool import Connection


@dataclass(frozen=True)
class Entry:
    """An event as the log shows it."""

    id: int
    type: str
    occurred_at: datetime
    actor_email: str | None
    subject_email: str | None
    data: dict[str, Any]


async def page(
    connection: Connection, account_id: UUID, types: list[str] | None, email: str | None, before: int | None, limit: int
) -> list[Entry]:
    """Up to `limit` events older than `before`, of these types, done by or concerning `email` (lower-case)."""
    rows = await connection.fetch(
        """
        SELECT events.id, type, occurred_at, actors.email AS actor_email, subjects.email AS subject_email, data
        FROM account_events
        JOIN events ON events.id = event_id
        LEFT JOIN users AS actors ON actors.id = actor_id
        LEFT JOIN users AS subjects ON subjects.id = subject_id
        WHERE account_events.account_id = $1
            AND ($2::bigint IS NULL OR event_id < $2)
            AND ($3::text[] IS NULL OR type = ANY ($3))
            AND ($4::text IS NULL OR actors.email = $4 OR subjects.email = $4)
        ORDER BY event_id DESC
        LIMIT $5
        """,
        account_id,
        before,
        types,
        email,
        limit,
    )
    return [Entry(**row) for row in rows]
