"""Deliveries: pending → sending → sent, failed or dropped. A delivery is claimed before it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.pool import Connection

# Messages that only concern staff who are not enrolled and whose account still asks for it.
CONDITIONAL = ["policy_enabled", "policy_changed", "grace_reminder", "grace_period_ended"]
MOST_CLAIMS = 200
PRUNE_BATCH = 10_000


@dataclass(frozen=True)
class Claimed:
    """A delivery that this claim may send, with the facts of its event."""

    id: int
    message: str
    email: str
    attempts: int
    is_overdue: bool
    type: str
    occurred_at: datetime
    data: dict[str, Any]
    account_name: str | None


async def claim(connection: Connection, queue: str, claim_id: UUID, limit: int, retry_hours: int) -> list[Claimed]:
    """Claim up to `limit` due or abandoned deliveries; drop those that no longer apply.

    The send looks again: whoever has enrolled or left, or whose account asks for something else by now, gets none.
    `is_overdue` says that this try is the last one.
    """
    rows = await connection.fetch(
        """
        WITH waiting AS (
            SELECT id FROM deliveries
            WHERE queue = $1 AND state = 'pending' AND next_attempt_at <= now()
            ORDER BY next_attempt_at LIMIT $3 FOR UPDATE SKIP LOCKED
        ), abandoned AS (
            SELECT id FROM deliveries
            WHERE queue = $1 AND state = 'sending' AND claimed_at < now() - interval '30 s'
            LIMIT $3 FOR UPDATE SKIP LOCKED
        ), due AS (
            SELECT id FROM abandoned UNION ALL SELECT id FROM waiting LIMIT $3
        ), judged AS (
            SELECT due.id, events.type, events.occurred_at, events.data, accounts.name AS account_name,
                deliveries.message <> ALL ($5) OR (
                    accounts.required_since = (events.data ->> 'requiredSince')::timestamptz
                    AND accounts.grace_deadline = (events.data ->> 'deadline')::timestamptz
                    AND (deliveries.message <> 'grace_reminder' OR accounts.grace_deadline > now())
                    AND EXISTS (SELECT FROM staff WHERE staff.account_id = events.account_id
                                AND staff.user_id = deliveries.user_id)
                    AND NOT EXISTS (SELECT FROM factors WHERE factors.user_id = deliveries.user_id)
                ) AS applies
            FROM due
            JOIN deliveries ON deliveries.id = due.id
            JOIN events ON events.id = deliveries.event_id
            LEFT JOIN accounts ON accounts.id = events.account_id
        ), claimed AS (
            UPDATE deliveries
            SET state = CASE WHEN applies THEN 'sending' ELSE 'dropped' END,
                claim_id = $2, claimed_at = now(), attempts = attempts + 1
            FROM judged WHERE deliveries.id = judged.id
            RETURNING deliveries.id, message, email, attempts, state, type, occurred_at, data, account_name,
                created_at < now() - $4 * interval '1 hour' OR attempts >= $6 AS is_overdue
        )
        SELECT id, message, email, attempts, is_overdue, type, occurred_at, data, account_name
        FROM claimed WHERE state = 'sending' ORDER BY id
        """,
        queue,
        claim_id,
        limit,
        retry_hours,
        CONDITIONAL,
        MOST_CLAIMS,
    )
    return [Claimed(**row) for row in rows]


async def renew(connection: Connection, claim_id: UUID) -> None:
    """Keep what is left of a claim from being taken over for another 30 seconds."""
    await connection.execute(
        "UPDATE deliveries SET claimed_at = now() WHERE claim_id = $1 AND state = 'sending'", claim_id
    )


async def mark_sent(connection: Connection, claim_id: UUID, ids: list[int]) -> None:
    """The server has taken these; the roster shows the reminders among them. Renews the rest of the claim."""
    await connection.execute(
        """
        WITH sent AS (
            UPDATE deliveries
            SET claimed_at = now(),
                state = CASE WHEN id = ANY ($2) THEN 'sent' ELSE state END,
                sent_at = CASE WHEN id = ANY ($2) THEN now() END
            WHERE claim_id = $1 AND state = 'sending'
            RETURNING id, event_id, user_id
        )
        UPDATE staff SET last_reminded_at = now(), reminder_claimed_at = now()
        FROM sent JOIN events ON events.id = sent.event_id
        WHERE sent.id = ANY ($2) AND events.type = 'GRACE_REMINDER_SENT'
            AND staff.account_id = events.account_id AND staff.user_id = sent.user_id
        """,
        claim_id,
        ids,
    )


async def try_later(connection: Connection, claim_id: UUID, ids: list[int], error: str, pause_s: float) -> None:
    """Try these again in `pause_s` seconds."""
    await connection.execute(
        """
        UPDATE deliveries SET state = 'pending', claim_id = NULL, claimed_at = NULL, last_error = $3,
            next_attempt_at = now() + $4 * interval '1 second'
        WHERE claim_id = $1 AND id = ANY ($2) AND state = 'sending'
        """,
        claim_id,
        ids,
        error[:500],
        pause_s,
    )


async def release(connection: Connection, claim_id: UUID) -> None:
    """Give back, untried, what is left of a claim."""
    await connection.execute(
        """
        UPDATE deliveries SET state = 'pending', claim_id = NULL, claimed_at = NULL, attempts = attempts - 1
        WHERE claim_id = $1 AND state = 'sending'
        """,
        claim_id,
    )


async def fail(connection: Connection, claim_id: UUID, delivery_id: int, error: str) -> None:
    """Record a delivery that will not get through, in the server's words."""
    await connection.execute(
        """
        UPDATE deliveries SET state = 'failed', claim_id = NULL, claimed_at = NULL, last_error = $3
        WHERE claim_id = $1 AND id = $2 AND state = 'sending'
        """,
        claim_id,
        delivery_id,
        error[:500],
    )


async def due_queues(connection: Connection) -> list[str]:
    """The queues with something to send or to take over."""
    rows = await connection.fetch(
        """
        SELECT queue FROM (VALUES ('security'), ('bulk')) AS q (queue)
        WHERE EXISTS (SELECT FROM deliveries AS d
                      WHERE d.queue = q.queue AND state = 'pending' AND next_attempt_at <= now())
            OR EXISTS (SELECT FROM deliveries AS d
                       WHERE d.queue = q.queue AND state = 'sending' AND claimed_at < now() - interval '30 s')
        """
    )
    return [row["queue"] for row in rows]


async def prune(connection: Connection, older_than_days: int) -> int:
    """Delete up to 10,000 ended deliveries that are older; return how many."""
    status = await connection.execute(
        """
        DELETE FROM deliveries WHERE id IN (
            SELECT id FROM deliveries
            WHERE created_at < now() - $1 * interval '1 day' AND state IN ('sent', 'failed', 'dropped')
            ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        """,
        older_than_days,
        PRUNE_BATCH,
    )
    return int(status.split()[1])


@dataclass(frozen=True)
class StateCount:
    """How many deliveries of a queue are in a state, and since when the oldest waits (or, ended, when it was made)."""

    queue: str
    state: str
    count: int
    oldest: datetime
    age_s: float


async def status(connection: Connection) -> list[StateCount]:
    """Counts per queue and state, and the age of the oldest in each."""
    rows = await connection.fetch(
        """
        SELECT queue, state, count(*) AS count, min(created_at) AS oldest,
            extract(epoch FROM now() - min(created_at))::float8 AS age_s
        FROM deliveries GROUP BY queue, state ORDER BY queue DESC, state
        """
    )
    return [StateCount(**row) for row in rows]


@dataclass(frozen=True)
class Failed:
    """A delivery that did not get through."""

    id: int
    email: str
    message: str
    attempts: int
    created_at: datetime
    last_error: str | None


async def failed(connection: Connection, limit: int) -> list[Failed]:
    """The newest failed deliveries."""
    rows = await connection.fetch(
        """
        SELECT id, email, message, attempts, created_at, last_error FROM deliveries
        WHERE state = 'failed' ORDER BY id DESC LIMIT $1
        """,
        limit,
    )
    return [Failed(**row) for row in rows]


async def retry(connection: Connection, ids: list[int] | None) -> int:
    """Try failed deliveries again, these or all; return how many."""
    result = await connection.execute(
        """
        UPDATE deliveries SET state = 'pending', next_attempt_at = now(), created_at = now(), attempts = 0
        WHERE state = 'failed' AND ($1::bigint[] IS NULL OR id = ANY ($1))
        """,
        ids,
    )
    return int(result.split()[1])
