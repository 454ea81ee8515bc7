"""What became of deliveries that were not sent: tried later, failed, revived or dropped."""

from __future__ import annotations

from uuid import UUID

from db.pool import Connection


async def try_later(
    connection: Connection,
    claim_id: UUID,
    ids: list[int],
    error: str,
    pauses_s: list[float],
    is_in_doubt: bool = False,
    is_left: bool = False,
) -> None:
    """Try each of these again in its own number of seconds, and what waits behind it for that address not before.

    With `is_in_doubt` the server may have taken the one that was leaving: the next claim judges it, as a dead sender's.
    What `is_left` to a worker that knows it holds up none behind it.
    """
    await connection.execute(
        """
        WITH put_off AS (
            UPDATE deliveries SET state = 'pending', claim_id = NULL, claimed_at = NULL,
                body_sent_at = CASE WHEN $5 THEN body_sent_at END,
                last_error = $3, next_attempt_at = now() + make_interval(secs => pause_s),
                left_at = CASE WHEN $6 THEN coalesce(left_at, now()) END
            FROM unnest($2::bigint[], $4::float8[]) AS later (id, pause_s)
            WHERE deliveries.id = later.id AND claim_id = $1 AND state = 'sending'
            RETURNING deliveries.id, user_id, email, event_id, next_attempt_at
        )
        UPDATE deliveries SET next_attempt_at = put_off.next_attempt_at
        FROM put_off
        WHERE NOT $6 AND deliveries.user_id = put_off.user_id AND deliveries.email = put_off.email AND state = 'pending'
            AND (deliveries.event_id, deliveries.id) > (put_off.event_id, put_off.id)
            AND deliveries.next_attempt_at < put_off.next_attempt_at
        """,
        claim_id,
        ids,
        error[:500],
        pauses_s,
        is_in_doubt,
        is_left,
    )


async def fail(connection: Connection, claim_id: UUID, ids: list[int], error: str) -> None:
    """Record deliveries that will not get through, in the server's words.

    A reminder shows as failed, and one asked for by hand may be asked for again at once.
    """
    await connection.execute(
        """
        WITH failed AS (
            UPDATE deliveries
            SET state = 'failed', claim_id = NULL, claimed_at = NULL, body_sent_at = NULL, last_error = $3
            WHERE claim_id = $1 AND id = ANY ($2) AND state = 'sending'
            RETURNING event_id, user_id
        ), in_order AS (
            SELECT staff.id, subject_id, occurred_at FROM failed JOIN events ON events.id = failed.event_id
            JOIN staff ON staff.account_id = events.account_id AND staff.user_id = failed.user_id
            WHERE type = 'GRACE_REMINDER_SENT'
            ORDER BY staff.id FOR NO KEY UPDATE OF staff
        )
        UPDATE staff SET last_reminder_failed_at = now(),
            reminder_claimed_at = CASE WHEN subject_id IS NULL OR reminder_claimed_at > occurred_at
                THEN reminder_claimed_at END
        FROM in_order WHERE staff.id = in_order.id
        """,
        claim_id,
        ids,
        error[:500],
    )


async def revive(connection: Connection, ids: list[int], pause_s: float, retry_hours: int) -> None:
    """Try failed deliveries again in so many seconds, unless their time is over: it was not for their own fault."""
    await connection.execute(
        """
        WITH revived AS (
            UPDATE deliveries SET state = 'pending', next_attempt_at = now() + make_interval(secs => $2)
            WHERE id = ANY ($1) AND state = 'failed' AND created_at > now() - make_interval(hours => $3)
            RETURNING event_id, user_id
        )
        UPDATE staff SET last_reminder_failed_at = NULL,
            reminder_claimed_at = CASE WHEN subject_id IS NULL THEN reminder_claimed_at
                ELSE greatest(reminder_claimed_at, occurred_at) END
        FROM revived JOIN events ON events.id = revived.event_id
        WHERE type = 'GRACE_REMINDER_SENT' AND staff.account_id = events.account_id AND staff.user_id = revived.user_id
        """,
        ids,
        pause_s,
        retry_hours,
    )


async def drop(connection: Connection, claim_id: UUID, ids: list[int]) -> None:
    """Send none of these: they are of no use to anyone any more."""
    await connection.execute(
        """
        UPDATE deliveries SET state = 'dropped', claim_id = NULL, claimed_at = NULL, body_sent_at = NULL
        WHERE claim_id = $1 AND id = ANY ($2) AND state = 'sending'
        """,
        claim_id,
        ids,
    )
