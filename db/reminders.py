"""Recording reminders and the end of grace periods: a unique row decides that each happens once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.pool import Connection

AT_ONCE = 500


@dataclass(frozen=True)
class Running:
    """An account whose grace period is running, and the database's time."""

    account_id: UUID
    required_since: datetime
    deadline: datetime
    announced_at: datetime
    now: datetime


async def running(connection: Connection, within_days: int) -> list[Running]:
    """The accounts whose deadline is at most that many days away and has not passed."""
    rows = await connection.fetch(
        """
        SELECT id AS account_id, required_since, grace_deadline AS deadline, announced_at, now() AS now
        FROM accounts
        WHERE required_since IS NOT NULL
            AND grace_deadline > now() AND grace_deadline <= now() + make_interval(hours => 24 * $1)
        """,
        within_days,
    )
    return [Running(**row) for row in rows]


async def claim(connection: Connection, due: list[tuple[Running, int]]) -> set[UUID]:
    """Claim the reminder of each account at a threshold in days; return those that were not claimed before.

    Whoever inserts the row of an account, requirement, deadline and threshold is the one to make the event.
    """
    rows = await connection.fetch(
        """
        INSERT INTO reminders (account_id, required_since, grace_deadline, threshold_days)
        SELECT account_id, due.required_since, deadline, threshold_days
        FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::int[])
            AS due (account_id, required_since, deadline, threshold_days)
        JOIN accounts ON accounts.id = account_id
            AND accounts.required_since = due.required_since AND accounts.grace_deadline = due.deadline
        ORDER BY account_id
        ON CONFLICT DO NOTHING
        RETURNING account_id
        """,
        [running.account_id for running, _ in due],
        [running.required_since for running, _ in due],
        [running.deadline for running, _ in due],
        [threshold_days for _, threshold_days in due],
    )
    return {row["account_id"] for row in rows}


@dataclass(frozen=True)
class Ended:
    """An account whose grace period has ended; `announced` when its staff have been told of it already."""

    account_id: UUID
    required_since: datetime
    deadline: datetime
    announced: bool


async def end_grace_periods(connection: Connection) -> list[Ended]:
    """End the grace periods of up to 500 accounts whose deadline has passed, once each.

    The end of a deadline is told once, and not when the announcement of the deadline came after it. An account that
    somebody holds, as an import does for minutes, is left for the next time.
    """
    rows = await connection.fetch(
        """
        WITH over AS (
            UPDATE accounts SET grace_ended_at = now() WHERE id IN (
                SELECT id FROM accounts
                WHERE required_since IS NOT NULL AND grace_deadline <= now() AND grace_ended_at IS NULL
                ORDER BY id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
            )
            RETURNING id AS account_id, required_since, grace_deadline, announced_at
        ), first AS (
            INSERT INTO reminders (account_id, required_since, grace_deadline, threshold_days)
            SELECT account_id, required_since, grace_deadline, 0 FROM over ORDER BY account_id
            ON CONFLICT DO NOTHING
            RETURNING account_id
        )
        SELECT account_id, required_since, grace_deadline AS deadline,
            grace_deadline <= announced_at OR account_id NOT IN (SELECT account_id FROM first) AS announced
        FROM over
        """,
        AT_ONCE,
    )
    return [Ended(**row) for row in rows]
