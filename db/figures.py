"""What the database holds, in figures for metrics and for whoever looks after it."""

from __future__ import annotations

from dataclasses import dataclass

from db.pool import Connection


@dataclass(frozen=True)
class Line:
    """How the mail line stands: the age of the oldest event not dispatched and of the oldest delivery due, or 0."""

    oldest_event_s: float
    oldest_due_s: float
    set_aside: int


@dataclass(frozen=True)
class StaffStates:
    """Memberships by what their roster shows, over all accounts."""

    enrolled: int
    pending: int
    blocked: int


async def line(connection: Connection) -> Line:
    """How the mail line stands."""
    row = await connection.fetchrow(
        """
        SELECT
            coalesce((SELECT extract(epoch FROM now() - min(occurred_at))::float8 FROM events
                WHERE dispatched_at IS NULL AND failure IS NULL), 0) AS oldest_event_s,
            coalesce((SELECT extract(epoch FROM now() - min(next_attempt_at))::float8 FROM deliveries
                WHERE state = 'pending' AND next_attempt_at <= now()), 0) AS oldest_due_s,
            (SELECT count(*) FROM events WHERE failure IS NOT NULL) AS set_aside
        """
    )
    assert row is not None
    return Line(**row)


async def staff_states(connection: Connection) -> StaffStates:
    """How many memberships are enrolled, still to be, and blocked."""
    row = await connection.fetchrow(
        """
        SELECT enrolled, total - enrolled - blocked AS pending, blocked
        FROM (
            SELECT count(*) AS total, count(*) FILTER (WHERE has_mfa) AS enrolled,
                count(*) FILTER (WHERE mfa_state(has_mfa, was_reset, mfa_deadline(accounts, staff), now()) = 'BLOCKED')
                    AS blocked
            FROM staff JOIN accounts ON accounts.id = staff.account_id
            WHERE invited_at IS NULL
        ) AS counted
        """
    )
    assert row is not None
    return StaffStates(**row)


async def webhooks(connection: Connection) -> list[tuple[bool, str, int]]:
    """Whether it is the platform's, state and count of the endpoints of webhooks."""
    rows = await connection.fetch(
        """
        SELECT account_id IS NULL AS is_platforms,
            CASE WHEN disabled_at IS NOT NULL THEN 'off' WHEN failing_since IS NOT NULL THEN 'failing' ELSE 'on' END
                AS state,
            count(*) AS count
        FROM webhooks WHERE removed_at IS NULL GROUP BY 1, 2
        """
    )
    return [(row["is_platforms"], row["state"], row["count"]) for row in rows]


async def oldest_due_webhook_s(connection: Connection) -> float:
    """How many seconds ago the oldest delivery of a webhook was due, 0 for none; of endpoints that answer."""
    age_s: float = await connection.fetchval(
        """
        SELECT coalesce(extract(epoch FROM now() - min(due.at))::float8, 0)
        FROM webhooks, LATERAL (
            SELECT min(next_attempt_at) AS at FROM webhook_deliveries
            WHERE webhook_id = webhooks.id AND state = 'pending' AND next_attempt_at <= now()
        ) AS due
        WHERE disabled_at IS NULL AND failing_since IS NULL
        """
    )
    return age_s


async def deliveries(connection: Connection) -> list[tuple[str, str, int]]:
    """Queue, state and count of all deliveries on record."""
    rows = await connection.fetch("SELECT queue, state, count(*) AS count FROM deliveries GROUP BY queue, state")
    return [(row["queue"], row["state"], row["count"]) for row in rows]
