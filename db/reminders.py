"""The planner of reminders: one statement for all accounts; a unique row decides that each happens once."""

from __future__ import annotations

from db.pool import Connection


async def plan(connection: Connection, thresholds: list[int]) -> int:
    """Record what is due by `thresholds`, in days before the deadline and 0 for its end; return the events made.

    An account gets the latest due reminder only: those missed before it are recorded as done. What falls on the day
    of an announcement is covered by it; the end is always an event, but no email when the announcement said so.
    """
    made: int = await connection.fetchval(
        """
        WITH due AS (
            SELECT accounts.id AS account_id, required_since, grace_deadline, threshold,
                threshold = min(threshold) OVER (PARTITION BY accounts.id) AS is_latest,
                CASE WHEN threshold = 0 THEN grace_deadline <= announced_at
                     ELSE grace_deadline - threshold * interval '24 hours' < announced_at + interval '24 hours'
                END AS is_announced
            FROM accounts, unnest($1::int[]) AS threshold
            WHERE required_since IS NOT NULL
                AND grace_deadline - threshold * interval '24 hours' <= now()
                AND NOT EXISTS (
                    SELECT FROM reminders WHERE reminders.account_id = accounts.id
                        AND reminders.required_since = accounts.required_since
                        AND reminders.threshold_days = threshold
                )
        ), planned AS (
            INSERT INTO reminders (account_id, required_since, threshold_days)
            SELECT account_id, required_since, threshold FROM due ORDER BY account_id, threshold
            ON CONFLICT DO NOTHING
            RETURNING account_id, threshold_days
        ), told AS (
            SELECT due.* FROM due
            JOIN planned ON planned.account_id = due.account_id AND planned.threshold_days = due.threshold
            WHERE is_latest AND (threshold = 0 OR NOT is_announced)
        ), made AS (
            INSERT INTO events (type, account_id, data)
            SELECT CASE WHEN threshold = 0 THEN 'GRACE_PERIOD_ENDED' ELSE 'GRACE_REMINDER_SENT' END, account_id,
                jsonb_build_object(
                    'daysLeft', threshold,
                    'deadline', to_char(grace_deadline, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                    'requiredSince', to_char(required_since, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                ) || CASE WHEN is_announced THEN '{"announced": true}'::jsonb ELSE '{}' END
            FROM told
            RETURNING id, account_id, type
        ), shown AS (
            INSERT INTO account_events (account_id, event_id) SELECT account_id, id FROM made
        ), ended AS (
            UPDATE accounts SET grace_ended_at = now() FROM made
            WHERE accounts.id = made.account_id AND made.type = 'GRACE_PERIOD_ENDED'
                AND accounts.grace_deadline <= now()
        )
        SELECT count(*) FROM made
        """,
        thresholds,
    )
    return made
