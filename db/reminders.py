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
            AND grace_deadline > now() AND grace_deadline <= now() + $1 * interval '24 hours'
        """,
        within_days,
    )
    return [Running(**row) for row in rows]


async def remind(connection: Connection, due: list[tuple[Running, int, int]]) -> int:
    """Record a reminder for each account, threshold in days and days left; return how many were not there yet.

    Whichever planner inserts the row of an account, requirement, deadline and threshold also makes the event.
    """
    made: int = await connection.fetchval(
        """
        WITH due AS (
            SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::int[], $5::int[])
                AS due (account_id, required_since, deadline, threshold_days, days_left)
        ), planned AS (
            INSERT INTO reminders (account_id, required_since, grace_deadline, threshold_days)
            SELECT account_id, due.required_since, deadline, threshold_days
            FROM due JOIN accounts ON accounts.id = account_id
                AND accounts.required_since = due.required_since AND accounts.grace_deadline = due.deadline
            ORDER BY account_id
            ON CONFLICT DO NOTHING
            RETURNING account_id
        ), made AS (
            INSERT INTO events (type, account_id, data)
            SELECT 'GRACE_REMINDER_SENT', account_id, jsonb_build_object(
                'daysLeft', days_left,
                'deadline', to_char(deadline, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                'requiredSince', to_char(required_since, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
            FROM due JOIN planned USING (account_id)
            RETURNING id, account_id
        ), shown AS (
            INSERT INTO account_events (account_id, event_id) SELECT account_id, id FROM made
        )
        SELECT count(*) FROM made
        """,
        [running.account_id for running, _, _ in due],
        [running.required_since for running, _, _ in due],
        [running.deadline for running, _, _ in due],
        [threshold_days for _, threshold_days, _ in due],
        [days_left for _, _, days_left in due],
    )
    return made


async def end_grace_periods(connection: Connection) -> int:
    """Record for up to 500 accounts that their grace period has ended; return how many there were.

    The end of a deadline is emailed once, and not when the announcement of the deadline came after it.
    """
    ended: int = await connection.fetchval(
        """
        WITH over AS (
            UPDATE accounts SET grace_ended_at = now() WHERE id IN (
                SELECT id FROM accounts
                WHERE required_since IS NOT NULL AND grace_deadline <= now() AND grace_ended_at IS NULL
                ORDER BY id LIMIT $1 FOR NO KEY UPDATE
            )
            RETURNING id AS account_id, required_since, grace_deadline, announced_at
        ), first AS (
            INSERT INTO reminders (account_id, required_since, grace_deadline, threshold_days)
            SELECT account_id, required_since, grace_deadline, 0 FROM over ORDER BY account_id
            ON CONFLICT DO NOTHING
            RETURNING account_id
        ), made AS (
            INSERT INTO events (type, account_id, data)
            SELECT 'GRACE_PERIOD_ENDED', account_id, jsonb_build_object(
                'deadline', to_char(grace_deadline, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                'requiredSince', to_char(required_since, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                'announced', grace_deadline <= announced_at OR account_id NOT IN (SELECT account_id FROM first))
            FROM over
            RETURNING id, account_id
        ), shown AS (
            INSERT INTO account_events (account_id, event_id) SELECT account_id, id FROM made
        )
        SELECT count(*) FROM over
        """,
        AT_ONCE,
    )
    return ended
