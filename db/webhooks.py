"""Webhooks: the endpoints, and each delivery on its way: pending → sending → delivered or failed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

import asyncpg

import db.outbox
from db.pool import Connection
from rules.events.stored import Stored
from rules.sealing import Sealed
from rules.webhooks import CLAIM_LIFETIME, KEPT_FOR, ORDERED_ATTEMPTS, OVERLAP, RETRIED_FOR, TEST

AT_ONCE = 10  # at one endpoint
PRUNE_BATCH = 10_000


@dataclass(frozen=True)
class Webhook:
    """An endpoint as its account sees it."""

    id: UUID
    account_id: UUID | None
    url: str
    event_types: list[str] | None
    format: str
    failing_since: datetime | None
    disabled_at: datetime | None
    created_at: datetime


async def add(
    connection: Connection,
    webhook_id: UUID,
    account_id: UUID | None,
    url: str,
    event_types: list[str] | None,
    secret: Sealed,
    format_: str,
) -> Webhook:
    """A new endpoint."""
    row = await connection.fetchrow(
        """
        INSERT INTO webhooks (id, account_id, url, event_types, secret_sealed, secret_key_id, format)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        RETURNING id, account_id, url, event_types, format, failing_since, disabled_at, created_at
        """,
        webhook_id,
        account_id,
        url,
        event_types,
        secret.data,
        secret.key_id,
        format_,
    )
    assert row is not None
    return Webhook(**row)


async def of_account(connection: Connection, account_id: UUID | None) -> list[Webhook]:
    """The account's endpoints, or the platform's, oldest first."""
    rows = await connection.fetch(
        """
        SELECT id, account_id, url, event_types, format, failing_since, disabled_at, created_at
        FROM webhooks WHERE account_id IS NOT DISTINCT FROM $1 ORDER BY created_at, id
        """,
        account_id,
    )
    return [Webhook(**row) for row in rows]


async def load(connection: Connection, webhook_id: UUID) -> Webhook | None:
    """One endpoint."""
    row = await connection.fetchrow(
        """
        SELECT id, account_id, url, event_types, format, failing_since, disabled_at, created_at
        FROM webhooks WHERE id = $1
        """,
        webhook_id,
    )
    return Webhook(**row) if row else None


async def remove(connection: Connection, webhook_id: UUID) -> bool:
    """Forget an endpoint and what waits for it; false when there is none."""
    return await connection.execute("DELETE FROM webhooks WHERE id = $1", webhook_id) == "DELETE 1"


async def rotate(connection: Connection, webhook_id: UUID, secret: Sealed) -> bool:
    """Sign with another secret; the one before signs along for a while. False when there is no such endpoint."""
    status = await connection.execute(
        """
        UPDATE webhooks SET previous_sealed = secret_sealed, previous_key_id = secret_key_id,
            previous_until = now() + $4::interval, secret_sealed = $2, secret_key_id = $3
        WHERE id = $1
        """,
        webhook_id,
        secret.data,
        secret.key_id,
        OVERLAP,
    )
    return status == "UPDATE 1"


async def enable(connection: Connection, webhook_id: UUID) -> bool:
    """Switch an endpoint on again; false when it is on."""
    status = await connection.execute(
        "UPDATE webhooks SET disabled_at = NULL, failing_since = NULL WHERE id = $1 AND disabled_at IS NOT NULL",
        webhook_id,
    )
    return status == "UPDATE 1"


async def add_test(connection: Connection, webhook_id: UUID) -> int:
    """A delivery of no event, due at once; its id."""
    delivery_id: int = await connection.fetchval(
        "INSERT INTO webhook_deliveries (webhook_id) VALUES ($1) RETURNING id", webhook_id
    )
    return delivery_id


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


async def deliveries(
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
        WHERE webhook_id = $1 AND ($2::bigint IS NULL OR delivery.id < $2) AND ($4::bigint IS NULL OR delivery.id = $4)
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
    """One try."""

    attempted_at: datetime
    duration_ms: int
    status: int | None
    answer: str | None
    error: str | None


async def attempts(connection: Connection, delivery_id: int) -> list[Attempt]:
    """A delivery's tries, newest first; at most 100."""
    rows = await connection.fetch(
        """
        SELECT attempted_at, duration_ms, status, answer, error FROM webhook_attempts
        WHERE delivery_id = $1 ORDER BY attempted_at DESC LIMIT 100
        """,
        delivery_id,
    )
    return [Attempt(**row) for row in rows]


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

    Only what these keys can sign: the rest waits for a worker that has the others.
    """
    rows = await connection.fetch(
        """
        WITH due AS (
            SELECT next.id FROM webhooks, LATERAL (
                SELECT id FROM webhook_deliveries AS delivery
                WHERE webhook_id = webhooks.id AND state = 'pending' AND next_attempt_at <= now()
                    AND NOT EXISTS (SELECT FROM webhook_deliveries AS earlier
                        WHERE earlier.webhook_id = webhooks.id AND earlier.subject_id = delivery.subject_id
                            AND earlier.id < delivery.id
                            AND (earlier.state = 'sending' OR earlier.state = 'pending' AND earlier.attempts < $3))
                ORDER BY next_attempt_at, id
                LIMIT greatest(0, $2 - (SELECT count(*) FROM webhook_deliveries
                    WHERE webhook_id = webhooks.id AND state = 'sending'))
                FOR NO KEY UPDATE SKIP LOCKED
            ) AS next
            WHERE disabled_at IS NULL AND secret_key_id = ANY ($5::text[])
                AND (previous_key_id = ANY ($5::text[]) OR (previous_until > now()) IS NOT TRUE)
            LIMIT $1
        ), claimed AS (
            UPDATE webhook_deliveries SET state = 'sending', claimed_at = now(), attempts = attempts + 1
            FROM due WHERE webhook_deliveries.id = due.id
            RETURNING webhook_deliveries.*
        )
        SELECT claimed.id, webhook_id, claimed.attempts, tried_since < now() - $4::interval AS is_last, url, format,
            accounts.name AS account_name,
            secret_sealed, secret_key_id, now() AS sent_at,
            CASE WHEN previous_until > now() THEN previous_sealed END AS previous_sealed, previous_key_id,
            event_id, coalesce(occurred_at, claimed.created_at) AS occurred_at,
            actors.email AS actor_email, subjects.email AS subject_email,
            type, events.account_id, events.subject_id, actor_id, data, service_key
        FROM claimed
        JOIN webhooks ON webhooks.id = webhook_id
        LEFT JOIN accounts ON accounts.id = webhooks.account_id
        LEFT JOIN events ON events.id = event_id
        LEFT JOIN users AS actors ON actors.id = actor_id
        LEFT JOIN users AS subjects ON subjects.id = events.subject_id
        ORDER BY claimed.id
        """,
        limit,
        AT_ONCE,
        ORDERED_ATTEMPTS,
        RETRIED_FOR,
        key_ids,
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


async def take_over(connection: Connection) -> bool:
    """Let what a dead worker has claimed be due again; whether anything is due."""
    await connection.execute(
        """
        UPDATE webhook_deliveries SET state = 'pending', claimed_at = NULL
        WHERE state = 'sending' AND claimed_at < now() - $1::interval
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


async def switch_off(connection: Connection, webhook_id: UUID) -> Webhook | None:
    """Switch an endpoint off that has failed for too long, what waits for it having failed; None when it is not so."""
    row = await connection.fetchrow(
        """
        WITH off AS (
            UPDATE webhooks SET disabled_at = now()
            WHERE id = $1 AND disabled_at IS NULL AND failing_since < now() - $2::interval
            RETURNING id, account_id, url, event_types, format, failing_since, disabled_at, created_at
        ), given_up AS (
            UPDATE webhook_deliveries SET state = 'failed', claimed_at = NULL
            FROM off WHERE webhook_id = off.id AND state IN ('pending', 'sending')
        )
        SELECT * FROM off
        """,
        webhook_id,
        RETRIED_FOR,
    )
    return Webhook(**row) if row else None


async def prune(connection: Connection) -> None:
    """Forget old deliveries that have ended."""
    await connection.execute(
        """
        DELETE FROM webhook_deliveries WHERE id IN (
            SELECT id FROM webhook_deliveries
            WHERE created_at < now() - $1::interval AND state IN ('delivered', 'failed') LIMIT $2
        )
        """,
        KEPT_FOR,
        PRUNE_BATCH,
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
