"""The outbox: an event is appended in the transaction of its change, or neither happens."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from db.pool import Connection
from rules.events import EventType


async def append(
    connection: Connection,
    event_type: EventType,
    *,
    account_id: UUID | None = None,
    subject_id: UUID | None = None,
    actor_id: UUID | None = None,
    data: dict[str, Any] | None = None,
) -> int:
    """Append an event and return its id; it shows in its account's log, or in all its subject is staff of."""
    event_id: int = await connection.fetchval(
        """
        WITH event AS (
            INSERT INTO events (type, account_id, subject_id, actor_id, data)
            VALUES ($1, $2, $3, $4, $5)
            RETURNING id
        ), shown AS (
            INSERT INTO account_events (account_id, event_id)
            SELECT $2, id FROM event WHERE $2::uuid IS NOT NULL
            UNION ALL
            SELECT staff.account_id, event.id FROM event, staff
            WHERE $2::uuid IS NULL AND staff.user_id = $3
        )
        SELECT id FROM event
        """,
        event_type,
        account_id,
        subject_id,
        actor_id,
        data or {},
    )
    return event_id
