"""Webhooks: the endpoints that accounts and the platform have."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from db.pool import Connection
from rules.sealed import Sealed
from rules.webhooks import OVERLAP, RETRIED_FOR

# An event that was under way when its endpoint was removed may still be written for it: that takes seconds.
STAYS_FOR = timedelta(hours=1)


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
        FROM webhooks WHERE account_id IS NOT DISTINCT FROM $1 AND removed_at IS NULL ORDER BY created_at, id
        """,
        account_id,
    )
    return [Webhook(**row) for row in rows]


async def load(connection: Connection, webhook_id: UUID) -> Webhook | None:
    row = await connection.fetchrow(
        """
        SELECT id, account_id, url, event_types, format, failing_since, disabled_at, created_at
        FROM webhooks WHERE id = $1 AND removed_at IS NULL
        """,
        webhook_id,
    )
    return Webhook(**row) if row else None


async def remove(connection: Connection, webhook_id: UUID) -> bool:
    """Tell an endpoint of nothing more; false when there is none.

    The row stays for a while: to delete it would wait for every event that is under way, and hold up every further one.
    """
    status = await connection.execute(
        """
        UPDATE webhooks SET removed_at = now(), disabled_at = coalesce(disabled_at, now())
        WHERE id = $1 AND removed_at IS NULL
        """,
        webhook_id,
    )
    return status == "UPDATE 1"


async def prune(connection: Connection) -> None:
    """Forget endpoints that were removed, once nothing is left that was written for them, nor can be any more."""
    await connection.execute(
        """
        DELETE FROM webhooks WHERE id IN (
            SELECT id FROM webhooks
            WHERE removed_at < now() - $1::interval
                AND NOT EXISTS (SELECT FROM webhook_deliveries WHERE webhook_id = webhooks.id)
            FOR UPDATE SKIP LOCKED
        )
        """,
        STAYS_FOR,
    )


async def rotate(connection: Connection, webhook_id: UUID, secret: Sealed) -> bool:
    """Sign with another secret; the one before signs along for a while. False when there is no such endpoint."""
    status = await connection.execute(
        """
        UPDATE webhooks SET previous_sealed = secret_sealed, previous_key_id = secret_key_id,
            previous_until = now() + $4::interval, secret_sealed = $2, secret_key_id = $3
        WHERE id = $1 AND removed_at IS NULL
        """,
        webhook_id,
        secret.data,
        secret.key_id,
        OVERLAP,
    )
    return status == "UPDATE 1"


async def is_on(connection: Connection, webhook_id: UUID) -> bool:
    """Whether what is written for the endpoint is sent, which stays so until the transaction ends."""
    return bool(
        await connection.fetchval(
            "SELECT true FROM webhooks WHERE id = $1 AND disabled_at IS NULL FOR SHARE", webhook_id
        )
    )


async def enable(connection: Connection, webhook_id: UUID) -> bool:
    """Switch an endpoint on again; false when it is on."""
    status = await connection.execute(
        """
        UPDATE webhooks SET disabled_at = NULL, failing_since = NULL
        WHERE id = $1 AND disabled_at IS NOT NULL AND removed_at IS NULL
        """,
        webhook_id,
    )
    return status == "UPDATE 1"


async def switch_off(connection: Connection, webhook_id: UUID) -> Webhook | None:
    """Switch an endpoint off that has failed for too long; None when it is not so."""
    row = await connection.fetchrow(
        """
        UPDATE webhooks SET disabled_at = now()
        WHERE id = $1 AND disabled_at IS NULL AND failing_since < now() - $2::interval
        RETURNING id, account_id, url, event_types, format, failing_since, disabled_at, created_at
        """,
        webhook_id,
        RETRIED_FOR,
    )
    return Webhook(**row) if row else None
