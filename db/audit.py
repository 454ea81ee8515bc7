"""The audit log: the events that show in an account, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import db.outbox
from db.pool import Connection
from rules.events.stored import Stored


@dataclass(frozen=True)
class Entry:
    """An event as the log shows it."""

    id: int
    occurred_at: datetime
    actor_email: str | None
    subject_email: str | None
    stored: Stored


async def page(
    connection: Connection, account_id: UUID, types: list[str], email: str | None, before: int | None, limit: int
) -> list[Entry]:
    """Up to `limit` events older than `before`, of these types, done by or concerning `email` (lower-case)."""
    rows = await connection.fetch(
        """
        SELECT events.id, occurred_at, actors.email AS actor_email, subjects.email AS subject_email,
            type, events.account_id, subject_id, actor_id, data, service_key
        FROM account_events
        JOIN events ON events.id = event_id
        LEFT JOIN users AS actors ON actors.id = actor_id
        LEFT JOIN users AS subjects ON subjects.id = subject_id
        WHERE account_events.account_id = $1
            AND ($2::bigint IS NULL OR event_id < $2)
            AND type = ANY ($3)
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
    return [
        Entry(row["id"], row["occurred_at"], row["actor_email"], row["subject_email"], db.outbox.stored_from(row))
        for row in rows
    ]
