"""Writing the deliveries of an event: to the person, the owners, or the staff who are not enrolled."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import datetime
from uuid import UUID

from db.dispatching import Undispatched
from db.pool import Connection
from db.users import BEFORE_ALL
from rules.events.catalogue import SHOWN_WHEN_DISPATCHED

CHUNK = 10_000


@dataclass(frozen=True)
class Terms:
    """How an event's deliveries are made out; what `required_since` and the rest hold for, the send looks at again."""

    message: str
    queue: str
    resends: int
    required_since: datetime | None = None
    deadline: datetime | None = None
    expires_at: datetime | None = None
    holds_while: str | None = None


async def to_person(connection: Connection, event: Undispatched, terms: Terms, address: str | None = None) -> None:
    """Write a delivery of an event about a person, to another `address` than theirs if given; mark it dispatched."""
    await connection.execute(
        """
        WITH written AS (
            INSERT INTO deliveries
                (event_id, user_id, email, message, queue, resends, required_since, deadline, expires_at, holds_while)
            SELECT $1, id, coalesce($11, email), $3, $4, $5, $6, $7, $8, $9 FROM users WHERE id = $2
            ON CONFLICT (event_id, user_id, message) DO NOTHING
        ), shown AS (
            INSERT INTO account_events (account_id, event_id)
            SELECT account_id, $1 FROM staff WHERE $10 AND user_id = $2 AND invited_at IS NULL
            ON CONFLICT DO NOTHING
        )
        UPDATE events SET dispatched_at = now() WHERE id = $1
        """,
        event.id,
        event.stored.subject_id,
        *astuple(terms),
        event.stored.type in SHOWN_WHEN_DISPATCHED,
        address,
    )


async def to_owners(
    connection: Connection,
    event: Undispatched,
    terms: Terms,
    alert: str | None = None,
    *,
    with_admins: bool = False,
    requester_id: UUID | None = None,
    but: UUID | None = None,
    admins_stand_in: bool = False,
) -> None:
    """Write the deliveries of an event that the account's owners are told of, and mark it dispatched.

    Of an `alert` they are told unless they have switched its kind off, and admins where they have switched it on.
    A requester is told as well, as an owner or admin; `but` is not, who gets a message of their own. Where there is no
    other owner than that, `admins_stand_in`.
    """
    await connection.execute(
        """
        WITH written AS (
            INSERT INTO deliveries
                (event_id, user_id, email, message, queue, resends, required_since, deadline, expires_at, holds_while)
            SELECT $1, user_id, email, $3, $4, $5, $6, $7, $8, $9 FROM staff
            WHERE account_id = $2 AND invited_at IS NULL AND user_id IS DISTINCT FROM $13
                AND (role = 'OWNER' AND NOT EXISTS (SELECT FROM alert_settings
                        WHERE account_id = $2 AND kind = $10 AND NOT alert_settings.email)
                    OR role = 'ADMIN' AND $11 AND EXISTS (SELECT FROM alert_settings
                        WHERE account_id = $2 AND kind = $10 AND email_admins)
                    OR role = 'ADMIN' AND user_id = $12
                    OR role = 'ADMIN' AND $14 AND NOT EXISTS (SELECT FROM staff AS other
                        WHERE other.account_id = $2 AND other.role = 'OWNER' AND other.invited_at IS NULL
                            AND other.user_id IS DISTINCT FROM $13))
            ON CONFLICT (event_id, user_id, message) DO NOTHING
        )
        UPDATE events SET dispatched_at = now() WHERE id = $1
        """,
        event.id,
        event.stored.account_id,
        *astuple(terms),
        alert,
        with_admins,
        requester_id,
        but,
        admins_stand_in,
    )


async def to_staff(connection: Connection, event: Undispatched, terms: Terms) -> bool:
    """Write the deliveries of the next 10,000 staff not enrolled; true once the event is dispatched."""
    dispatched: bool = await connection.fetchval(
        """
        WITH chunk AS (
            -- whoever was reset is stopped already, whatever the deadline
            SELECT user_id, email, invited_at IS NULL AND NOT has_mfa AND NOT was_reset
                AND mfa_deadline(accounts, staff) = grace_deadline AND NOT is_told_later(accounts, staff) AS is_told
            FROM staff JOIN accounts ON accounts.id = account_id
            WHERE account_id = $2 AND user_id > $10
            ORDER BY user_id LIMIT $11
        ), joined AS (
            SELECT array_agg(subject_id) AS user_ids
            FROM account_events JOIN events ON events.id = event_id AND type = 'MFA_REQUIRED'
            WHERE account_events.account_id = $2 AND event_id > $1
        ), written AS (
            INSERT INTO deliveries
                (event_id, user_id, email, message, queue, resends, required_since, deadline, expires_at, holds_while)
            SELECT $1, user_id, email, $3, $4, $5, $6, $7, $8, $9 FROM chunk
            -- whoever has a deadline of their own is told of that one, and who has joined since of theirs
            WHERE is_told AND (user_id = ANY ((SELECT user_ids FROM joined)::uuid[])) IS NOT TRUE
            ON CONFLICT (event_id, user_id, message) DO NOTHING
        ), reached AS (
            SELECT count(*) AS n, (SELECT user_id FROM chunk ORDER BY user_id DESC LIMIT 1) AS user_id FROM chunk
        )
        UPDATE events SET attempts = 0, hand_overs = 0, handed_at = now(),
            fanned_out_to = coalesce(reached.user_id, fanned_out_to),
            dispatched_at = CASE WHEN reached.n < $11 THEN now() END
        FROM reached WHERE id = $1
        RETURNING dispatched_at IS NOT NULL
        """,
        event.id,
        event.stored.account_id,
        *astuple(terms),
        event.fanned_out_to or BEFORE_ALL,
        CHUNK,
    )
    return dispatched
