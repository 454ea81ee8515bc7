"""Weekly digests: which accounts' are due, and what is open there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from db.pool import Connection

AT_ONCE = 50


@dataclass(frozen=True)
class Open:
    """What is open in an account, in numbers."""

    account_id: UUID
    pending_count: int
    blocked_count: int
    excepted_count: int
    invited_count: int
    failing_webhook_count: int

    @property
    def total(self) -> int:
        """How much is open, of whatever kind."""
        counts = (self.pending_count, self.blocked_count, self.excepted_count, self.invited_count)
        return sum(counts) + self.failing_webhook_count


async def now(connection: Connection) -> datetime:
    """The database's time."""
    instant: datetime = await connection.fetchval("SELECT now()")
    return instant


async def claim(connection: Connection, week: datetime) -> list[Open]:
    """Claim the digest of this week for up to 50 accounts that were there when it fell due; what is open in each.

    Whoever inserts an account's row is the one to tell it.
    """
    rows = await connection.fetch(
        """
        WITH due AS (
            INSERT INTO digests (account_id, week)
            SELECT id, $1 FROM accounts
            WHERE created_at < $1 AND NOT EXISTS (SELECT FROM digests WHERE account_id = accounts.id AND week = $1)
            ORDER BY id LIMIT $2
            ON CONFLICT DO NOTHING
            RETURNING account_id
        )
        SELECT due.account_id,
            count(*) FILTER (WHERE asked AND state = 'NOT_ENABLED') AS pending_count,
            count(*) FILTER (WHERE state = 'BLOCKED') AS blocked_count,
            count(*) FILTER (WHERE is_excepted AND state <> 'ENABLED') AS excepted_count,
            count(*) FILTER (WHERE is_invited) AS invited_count,
            (SELECT count(*) FROM webhooks WHERE webhooks.account_id = due.account_id AND removed_at IS NULL
                AND (disabled_at IS NOT NULL OR failing_since IS NOT NULL)) AS failing_webhook_count
        FROM due
        LEFT JOIN LATERAL (
            SELECT invited_at IS NOT NULL AS is_invited,
                invited_at IS NULL AND coalesce(excepted_until > now(), false) AS is_excepted,
                invited_at IS NULL AND mfa_deadline(accounts, staff) IS NOT NULL
                    AND NOT coalesce(excepted_until > now(), false) AS asked,
                CASE WHEN invited_at IS NULL
                    THEN mfa_state(has_mfa, was_reset, mfa_deadline(accounts, staff), now()) END AS state
            FROM staff
            JOIN accounts ON accounts.id = staff.account_id
            WHERE staff.account_id = due.account_id
        ) AS member ON true
        GROUP BY due.account_id ORDER BY due.account_id
        """,
        week,
        AT_ONCE,
    )
    return [Open(**row) for row in rows]


async def prune(connection: Connection, kept_for: timedelta) -> None:
    """Forget digests of weeks long past."""
    await connection.execute(
        """
        DELETE FROM digests WHERE (account_id, week) IN (
            SELECT account_id, week FROM digests WHERE week < now() - $1::interval FOR UPDATE SKIP LOCKED
        )
        """,
        kept_for,
    )
