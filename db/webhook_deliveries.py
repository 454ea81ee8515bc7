"""Deliveries of webhooks as their accounts see them, with each attempt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.pool import Connection
from rules.webhooks import KEPT_FOR, MOST_SHOWN_ATTEMPTS, TEST

BATCH = 10_000


@dataclass(frozen=True)
class Delivery:
    """A delivery as its account sees it, with its latest attempt, if any."""

    id: int
    webhook_id: UUID
    event_id: int | None
    type: str
    state: str
    attempts: int
    created_at: datetime
    next_attempt_at: datetime
    attempted_at: datetime | None
    duration_ms: int | None
    status: int | None
    answer: str | None
    error: str | None


async def of_webhook(
    connection: Connection, webhook_id: UUID, before: int | None, limit: int, delivery_id: int | None = None
) -> list[Delivery]:
    """An endpoint's deliveries, newest first; or the one with this id."""
    rows = await connection.fetch(
        """
        SELECT delivery.id, webhook_id, event_id, coalesce(events.type, $5) AS type, state, delivery.attempts,
            created_at, next_attempt_at, attempted_at, duration_ms, status, answer, error
        FROM webhook_deliveries AS delivery
        LEFT JOIN events ON events.id = event_id
        LEFT JOIN LATERAL (
            SELECT attempted_at, duration_ms, status, answer, error FROM webhook_attempts
            WHERE delivery_id = delivery.id ORDER BY attempted_at DESC LIMIT 1
        ) AS latest ON true
        -- bounds of the index, whatever is given
        WHERE webhook_id = $1 AND delivery.id >= coalesce($4::bigint, 0)
            AND delivery.id < coalesce($4::bigint + 1, $2, 9223372036854775807)
        ORDER BY delivery.id DESC LIMIT $3
        """,
        webhook_id,
        before,
        limit,
        delivery_id,
        TEST,
    )
    return [Delivery(**row) for row in rows]


@dataclass(frozen=True)
class Attempt:
    attempted_at: datetime
    duration_ms: int
    status: int | None
    answer: str | None
    error: str | None


async def attempts(connection: Connection, delivery_id: int) -> list[Attempt]:
    """A delivery's tries, newest first; as many as are shown."""
    rows = await connection.fetch(
        """
        SELECT attempted_at, duration_ms, status, answer, error FROM webhook_attempts
        WHERE delivery_id = $1 ORDER BY attempted_at DESC LIMIT $2
        """,
        delivery_id,
        MOST_SHOWN_ATTEMPTS,
    )
    return [Attempt(**row) for row in rows]


async def add_test(connection: Connection, webhook_id: UUID) -> int:
    """A delivery of no event, due at once; its id."""
    delivery_id: int = await connection.fetchval(
        "INSERT INTO webhook_deliveries (webhook_id) VALUES ($1) RETURNING id", webhook_id
    )
    return delivery_id


async def webhook_of(connection: Connection, delivery_id: int) -> UUID | None:
    """Whose delivery this is."""
    webhook_id: UUID | None = await connection.fetchval(
        "SELECT webhook_id FROM webhook_deliveries WHERE id = $1", delivery_id
    )
    return webhook_id


async def send_again(connection: Connection, delivery_id: int) -> bool:
    """Let a delivery that has ended begin anew; false while it is on its way."""
    status = await connection.execute(
        """
        UPDATE webhook_deliveries SET state = 'pending', attempts = 0, next_attempt_at = now(), tried_since = now()
        WHERE id = $1 AND state IN ('delivered', 'failed')
        """,
        delivery_id,
    )
    return status == "UPDATE 1"


async def send_failed_again(connection: Connection, webhook_id: UUID, after: int) -> tuple[int, int]:
    """Let what has failed at an endpoint after this delivery begin anew, but for tests; up to 10,000.

    How many, and the last of them.
    """
    row = await connection.fetchrow(
        """
        WITH again AS (
            UPDATE webhook_deliveries SET state = 'pending', attempts = 0, next_attempt_at = now(), tried_since = now()
            WHERE id IN (
                SELECT id FROM webhook_deliveries
                WHERE webhook_id = $1 AND id > $2 AND state = 'failed' AND event_id IS NOT NULL
                ORDER BY id LIMIT $3 FOR NO KEY UPDATE
            )
            RETURNING id
        )
        SELECT count(*), coalesce(max(id), $2) FROM again
        """,
        webhook_id,
        after,
        BATCH,
    )
    assert row is not None
    count, last = row
    return count, last


async def give_up(connection: Connection) -> int:
    """Let what waits for endpoints that are off have failed, up to 10,000 that nobody holds; how many.

    What is being sent may be taken yet: whoever sends it notes what came of it.
    """
    status = await connection.execute(
        """
        UPDATE webhook_deliveries SET state = 'failed' WHERE id IN (
            SELECT waiting.id FROM webhooks, LATERAL (
                SELECT id FROM webhook_deliveries WHERE webhook_id = webhooks.id AND state = 'pending'
                LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
            ) AS waiting
            WHERE disabled_at IS NOT NULL AND removed_at IS NULL
            LIMIT $1
        )
        """,
        BATCH,
    )
    return int(status.removeprefix("UPDATE "))


async def prune_removed(connection: Connection) -> int:
    """Forget up to 10,000 of what was written for endpoints that were removed; how many.

    Not what is being sent: whoever sends it notes what came of it.
    """
    status = await connection.execute(
        """
        DELETE FROM webhook_deliveries WHERE id IN (
            SELECT removed.id FROM webhooks, LATERAL (
                SELECT id FROM webhook_deliveries WHERE webhook_id = webhooks.id AND state <> 'sending'
                ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
            ) AS removed
            WHERE removed_at IS NOT NULL
            LIMIT $1
        )
        """,
        BATCH,
    )
    return int(status.removeprefix("DELETE "))


async def prune(connection: Connection) -> None:
    """Forget old deliveries that have ended."""
    await connection.execute(
        """
        DELETE FROM webhook_deliveries WHERE id IN (
            SELECT id FROM webhook_deliveries
            WHERE created_at < now() - $1::interval AND state IN ('delivered', 'failed')
            LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        """,
        KEPT_FOR,
        BATCH,
    )
