"""Each delivery of a webhook on its way: pending → sending → delivered or failed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

import asyncpg

import db.outbox
from db.pool import Connection
from rules.events.stored import Stored
from rules.languages import ENGLISH
from rules.sealed import Sealed
from rules.webhooks import CLAIM_LIFETIME, ORDERED_ATTEMPTS, RETRIED_FOR

AT_ONCE = 10  # at one endpoint
AT_ONCE_OF_FAILING = 2
# At all endpoints of one account, which may all hang: far fewer than a worker sends at once.
AT_ONCE_OF_ACCOUNT = 80


@dataclass(frozen=True)
class Claimed:
    """A delivery that this claim may send; the event is None for a test. The previous secret only while it holds."""

    id: int
    webhook_id: UUID
    attempts: int
    is_last: bool
    url: str
    format: str
    account_name: str | None
    language: str
    secret: Sealed
    previous: Sealed | None
    sent_at: datetime
    event_id: int | None
    occurred_at: datetime
    actor_email: str | None
    subject_email: str | None
    stored: Stored | None


async def claim(connection: Connection, limit: int, key_ids: list[str]) -> list[Claimed]:
    """Claim what is due: a few at each endpoint, and of one person's the oldest first, as long as that gets on.

    Accounts take turns: whoever has the fewest under way comes first. An endpoint that fails is tried, and no more.

    Only what these keys can sign: the rest waits for a worker that has the others.
    """
    rows = await connection.fetch(
        """
        WITH endpoints AS (
            SELECT id, coalesce(account_id, id) AS whose,
                CASE WHEN failing_since IS NULL THEN $2::int ELSE $7::int END AS most,
                (SELECT count(*) FROM webhook_deliveries AS delivery
                    WHERE webhook_id = webhooks.id AND state = 'sending') AS sending
            FROM webhooks
            WHERE disabled_at IS NULL AND secret_key_id = ANY ($5::text[])
                AND (previous_key_id = ANY ($5::text[]) OR (previous_until > now()) IS NOT TRUE)
        ), ready AS MATERIALIZED (
            SELECT next.id, whose FROM endpoints, LATERAL (
                SELECT id FROM webhook_deliveries AS delivery
                WHERE webhook_id = endpoints.id AND state = 'pending' AND next_attempt_at <= now()
                    AND NOT EXISTS (SELECT FROM webhook_deliveries AS earlier
                        WHERE earlier.webhook_id = endpoints.id AND earlier.subject_id = delivery.subject_id
                            AND earlier.id < delivery.id
                            AND (earlier.state = 'sending' OR earlier.state = 'pending' AND earlier.attempts < $3))
                ORDER BY next_attempt_at, id
                LIMIT greatest(0, most - sending)
                FOR NO KEY UPDATE SKIP LOCKED
            ) AS next
        ), due AS (
            SELECT id FROM (
                SELECT id, row_number() OVER (PARTITION BY whose ORDER BY id)
                    + (SELECT sum(sending) FROM endpoints WHERE endpoints.whose = ready.whose) AS place
                FROM ready
            ) AS placed
            WHERE place <= $6
            ORDER BY place, id
            LIMIT $1
        ), claimed AS (
            UPDATE webhook_deliveries SET state = 'sending', claimed_at = now(), attempts = attempts + 1
            FROM due WHERE webhook_deliveries.id = due.id
            RETURNING webhook_deliveries.*
        )
        SELECT claimed.id, webhook_id, claimed.attempts, tried_since < now() - $4::interval AS is_last, url, format,
            accounts.name AS account_name, coalesce(accounts.language, $8) AS language,
            secret_sealed, secret_key_id, now() AS sent_at,
            CASE WHEN previous_until > now() THEN previous_sealed END AS previous_sealed, previous_key_id,
            event_id, coalesce(occurred_at, claimed.created_at) AS occurred_at,
            actors.email AS actor_email, subjects.email AS subject_email,
            type, events.account_id, events.subject_id, actor_id, data, service_key
        FROM claimed
        JOIN webhooks ON webhooks.id = webhook_id
        LEFT JOIN accounts ON accounts.id = webhooks.account_id
        LEFT JOIN events ON events.id = event_id
        LEFT JOIN address_known_to(webhooks.account_id, actor_id) AS actors ON true
        LEFT JOIN address_known_to(webhooks.account_id, events.subject_id) AS subjects ON true
        ORDER BY claimed.id
        """,
        limit,
        AT_ONCE,
        ORDERED_ATTEMPTS,
        RETRIED_FOR,
        key_ids,
        AT_ONCE_OF_ACCOUNT,
        AT_ONCE_OF_FAILING,
        ENGLISH,
    )
    return [_claimed(row) for row in rows]


async def record(
    connection: Connection,
    claimed: Claimed,
    duration_ms: int,
    status: int | None,
    answer: str | None,
    error: str | None,
    pause_s: float | None,
) -> None:
    """Note an attempt and what it came to: delivered (no error), tried again after a pause, or failed (no pause)."""
    await connection.execute(
        """
        WITH noted AS (
            INSERT INTO webhook_attempts (delivery_id, duration_ms, status, answer, error)
            SELECT id, $3, $4, $5, $6 FROM webhook_deliveries WHERE id = $1
        ), endpoint AS (
            UPDATE webhooks SET failing_since = CASE WHEN $6::text IS NOT NULL THEN coalesce(failing_since, now()) END
            WHERE id = $8 AND (failing_since IS NULL) = ($6::text IS NOT NULL)
        )
        UPDATE webhook_deliveries
        SET state = CASE WHEN $6::text IS NULL THEN 'delivered'
                WHEN $7::float8 IS NULL THEN 'failed' ELSE 'pending' END,
            next_attempt_at = now() + make_interval(secs => coalesce($7, 0)), claimed_at = NULL
        WHERE id = $1 AND attempts = $2 AND state = 'sending'
        """,
        claimed.id,
        claimed.attempts,
        duration_ms,
        status,
        answer,
        error,
        pause_s,
        claimed.webhook_id,
    )


async def give_back(connection: Connection, claimed: Claimed) -> None:
    """What was claimed was not tried to its end: it is due at once."""
    await connection.execute(
        """
        UPDATE webhook_deliveries SET state = 'pending', claimed_at = NULL, attempts = attempts - 1
        WHERE id = $1 AND attempts = $2 AND state = 'sending'
        """,
        claimed.id,
        claimed.attempts,
    )


async def put_off(connection: Connection, claimed: Claimed, pause_s: float) -> None:
    """What was claimed is not for this version to send, and was not tried: it is due after a pause."""
    await connection.execute(
        """
        UPDATE webhook_deliveries SET state = 'pending', claimed_at = NULL, attempts = attempts - 1,
            next_attempt_at = now() + make_interval(secs => $3)
        WHERE id = $1 AND attempts = $2 AND state = 'sending'
        """,
        claimed.id,
        claimed.attempts,
        pause_s,
    )


async def take_over(connection: Connection) -> bool:
    """Let what a dead worker has claimed be due again; whether anything is due."""
    await connection.execute(
        """
        UPDATE webhook_deliveries SET state = 'pending', claimed_at = NULL WHERE id IN (
            SELECT id FROM webhook_deliveries
            WHERE state = 'sending' AND claimed_at < now() - $1::interval FOR NO KEY UPDATE SKIP LOCKED
        )
        """,
        CLAIM_LIFETIME,
    )
    return await is_due(connection)


async def is_due(connection: Connection) -> bool:
    """Whether anything waits for its time, and that has come."""
    return bool(
        await connection.fetchval(
            """
            SELECT EXISTS (SELECT FROM webhooks JOIN webhook_deliveries ON webhook_id = webhooks.id
                WHERE disabled_at IS NULL AND state = 'pending' AND next_attempt_at <= now())
            """
        )
    )


def _claimed(row: asyncpg.Record) -> Claimed:
    plain = {each.name: row[each.name] for each in fields(Claimed) if each.name in row.keys()}  # noqa: SIM118
    previous = Sealed(row["previous_sealed"], row["previous_key_id"]) if row["previous_sealed"] else None
    return Claimed(
        **plain,
        secret=Sealed(row["secret_sealed"], row["secret_key_id"]),
        previous=previous,
        stored=db.outbox.stored_from(row) if row["event_id"] is not None else None,
    )
