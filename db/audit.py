"""The audit log: the events that show in an account, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

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
    connection: Connection, account_id: UUID, types: list[str], before: int | None, limit: int
) -> list[Entry]:
    """Up to `limit` events older than `before`, of these types."""
    rows = await connection.fetch(
        """
        SELECT events.id, occurred_at, actors.email AS actor_email, subjects.email AS subject_email,
            type, events.account_id, subject_id, actor_id, data, service_key
        FROM account_events
        JOIN events ON events.id = event_id
        LEFT JOIN address_known_to($1, actor_id) AS actors ON true
        LEFT JOIN address_known_to($1, subject_id) AS subjects ON true
        WHERE account_events.account_id = $1
            -- bounds of both indexes, whatever is given
            AND event_id < coalesce($2, 9223372036854775807) AND events.id < coalesce($2, 9223372036854775807)
            AND type = ANY ($3)
        ORDER BY event_id DESC
        LIMIT $4
        """,
        account_id,
        before,
        types,
        limit,
    )
    return _entries(rows)


async def people(connection: Connection, account_id: UUID, email: str) -> list[UUID]:
    """Whom the account knows by this address, in lower case; whoever has left it by the one that they had then."""
    rows = await connection.fetch(
        """
        SELECT found.id FROM (
            SELECT id FROM users WHERE users.email = $2
            UNION
            SELECT user_id FROM member_history WHERE member_history.email = $2 AND member_history.account_id = $1
        ) AS found
        CROSS JOIN LATERAL address_known_to($1, found.id) AS known
        WHERE known.email = $2
        """,
        account_id,
        email,
    )
    return [row["id"] for row in rows]


async def page_of(
    connection: Connection,
    account_id: UUID,
    people_ids: list[UUID],
    types: list[str],
    before: int | None,
    limit: int,
) -> list[Entry]:
    """Of a page's events those that these people did or that concern them, looked for among theirs alone."""
    rows = await connection.fetch(
        """
        WITH found AS (
            SELECT DISTINCT theirs.id FROM unnest($2::uuid[]) AS person (id) CROSS JOIN LATERAL (
                (
                    SELECT events.id FROM events
                    JOIN account_events ON account_events.account_id = $1 AND event_id = events.id
                    WHERE subject_id = person.id AND events.id < coalesce($4, 9223372036854775807) AND type = ANY ($3)
                    ORDER BY events.id DESC LIMIT $5
                )
                UNION ALL
                (
                    SELECT events.id FROM events
                    JOIN account_events ON account_events.account_id = $1 AND event_id = events.id
                    WHERE actor_id = person.id AND actor_id IS DISTINCT FROM subject_id
                        AND events.id < coalesce($4, 9223372036854775807) AND type = ANY ($3)
                    ORDER BY events.id DESC LIMIT $5
                )
            ) AS theirs
            ORDER BY theirs.id DESC LIMIT $5
        )
        SELECT events.id, occurred_at, actors.email AS actor_email, subjects.email AS subject_email,
            type, events.account_id, subject_id, actor_id, data, service_key
        FROM found
        JOIN events ON events.id = found.id
        LEFT JOIN address_known_to($1, actor_id) AS actors ON true
        LEFT JOIN address_known_to($1, subject_id) AS subjects ON true
        ORDER BY events.id DESC
        """,
        account_id,
        people_ids,
        types,
        before,
        limit,
    )
    return _entries(rows)


def _entries(rows: list[asyncpg.Record]) -> list[Entry]:
    return [
        Entry(row["id"], row["occurred_at"], row["actor_email"], row["subject_email"], db.outbox.stored_from(row))
        for row in rows
    ]
