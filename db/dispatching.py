"""Events on their way to a worker: claimed by the relay, dispatched once all their deliveries are written."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import datetime
from uuid import UUID

import db.outbox
from db.pool import Connection
from db.users import BEFORE_ALL
from rules.events.catalogue import SHOWN_WHEN_PLANNED
from rules.events.stored import Stored

RELAY_BATCH = 200
QUIET_BATCH = 10_000
FAN_OUT_CHUNK = 10_000
MOST_ATTEMPTS = 10
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5, 60


@dataclass(frozen=True)
class Undispatched:
    """An event as a worker dispatches it."""

    id: int
    account_name: str | None
    occurred_at: datetime
    stored: Stored
    fanned_out_to: UUID | None
    request_id: str | None
    traceparent: str | None


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


async def dispatch_quiet(connection: Connection, types: list[str]) -> int:
    """Mark up to 10,000 events of types that nobody is emailed about as dispatched; return how many."""
    status = await connection.execute(
        """
        UPDATE events SET dispatched_at = now() WHERE id IN (
            SELECT id FROM events
            WHERE dispatched_at IS NULL AND failure IS NULL AND type = ANY ($1)
            ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        """,
        types,
        QUIET_BATCH,
    )
    return int(status.split()[1])


async def claim_for_hand_over(connection: Connection, types: list[str], *, of_these: bool) -> list[int]:
    """Claim up to 200 events of these types, or of all others, for handing over to a worker.

    Those that were handed over and that no worker has got on with come again, later each time.
    """
    rows = await connection.fetch(
        """
        UPDATE events SET handed_at = now(), hand_overs = least(hand_overs + 1, 100) WHERE id IN (
            SELECT id FROM events
            WHERE dispatched_at IS NULL AND failure IS NULL AND (type = ANY ($1)) = $2
                AND (handed_at IS NULL
                     OR handed_at < now() - make_interval(secs => least($4 * 2 ^ (hand_overs - 1), $5)))
            ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED
        )
        RETURNING id
        """,
        types,
        of_these,
        RELAY_BATCH,
        FIRST_PAUSE_S,
        LONGEST_PAUSE_S,
    )
    return sorted(row["id"] for row in rows)


async def take_back(connection: Connection, event_ids: list[int]) -> None:
    """The broker did not take these: hand them over at the next look."""
    await connection.execute(
        """
        UPDATE events SET handed_at = NULL, hand_overs = greatest(hand_overs - 1, 0)
        WHERE id = ANY ($1) AND dispatched_at IS NULL
        """,
        event_ids,
    )


async def begin(connection: Connection, event_id: int) -> bool:
    """Count an attempt, so that a crash loop is bounded; false when there is nothing left to do."""
    attempts = await connection.fetchval(
        """
        UPDATE events SET attempts = attempts + 1, handed_at = now(),
            failure = CASE WHEN attempts >= $2 THEN 'No worker has got through it in ' || $2 || ' attempts.' END
        WHERE id = $1 AND dispatched_at IS NULL AND failure IS NULL
        RETURNING attempts
        """,
        event_id,
        MOST_ATTEMPTS,
    )
    return attempts is not None and attempts <= MOST_ATTEMPTS


async def give_back(connection: Connection, event_ids: list[int]) -> None:
    """Take back the attempts counted for these: they ended with an error, and no worker died of them."""
    await connection.execute("UPDATE events SET attempts = greatest(attempts - 1, 0) WHERE id = ANY ($1)", event_ids)


async def lock_undispatched(connection: Connection, event_id: int) -> Undispatched | None:
    """The event, for this transaction alone; None when it is dispatched, set aside, or another worker has it."""
    row = await connection.fetchrow(
        """
        SELECT events.id, accounts.name AS account_name, occurred_at, fanned_out_to,
            type, account_id, subject_id, actor_id, data, service_key, request_id, traceparent
        FROM events LEFT JOIN accounts ON accounts.id = events.account_id
        WHERE events.id = $1 AND dispatched_at IS NULL AND failure IS NULL
        FOR NO KEY UPDATE OF events SKIP LOCKED
        """,
        event_id,
    )
    if row is None:
        return None
    return Undispatched(
        row["id"],
        row["account_name"],
        row["occurred_at"],
        db.outbox.stored_from(row),
        row["fanned_out_to"],
        row["request_id"],
        row["traceparent"],
    )


async def deliver_to_person(
    connection: Connection, event: Undispatched, terms: Terms, address: str | None = None
) -> None:
    """Write a delivery of an event about a person, to another `address` than theirs if given; mark it dispatched."""
    await connection.execute(
        """
        WITH planned AS (
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
        event.stored.type in SHOWN_WHEN_PLANNED,
        address,
    )


async def deliver_to_owners(
    connection: Connection,
    event: Undispatched,
    terms: Terms,
    alert: str | None = None,
    *,
    with_admins: bool = False,
) -> None:
    """Write the deliveries of an event that the account's owners are told of, and mark it dispatched.

    Of an `alert` they are told unless they have switched its kind off, and admins where they have switched it on.
    """
    await connection.execute(
        """
        WITH planned AS (
            INSERT INTO deliveries
                (event_id, user_id, email, message, queue, resends, required_since, deadline, expires_at, holds_while)
            SELECT $1, user_id, email, $3, $4, $5, $6, $7, $8, $9 FROM staff
            WHERE account_id = $2 AND invited_at IS NULL
                AND (role = 'OWNER' AND NOT EXISTS (SELECT FROM alert_settings
                        WHERE account_id = $2 AND kind = $10 AND NOT alert_settings.email)
                    OR role = 'ADMIN' AND $11 AND EXISTS (SELECT FROM alert_settings
                        WHERE account_id = $2 AND kind = $10 AND email_admins))
            ON CONFLICT (event_id, user_id, message) DO NOTHING
        )
        UPDATE events SET dispatched_at = now() WHERE id = $1
        """,
        event.id,
        event.stored.account_id,
        *astuple(terms),
        alert,
        with_admins,
    )


async def deliver_to_staff(connection: Connection, event: Undispatched, terms: Terms) -> bool:
    """Write the deliveries of the next 10,000 staff not enrolled; true once the event is dispatched."""
    dispatched: bool = await connection.fetchval(
        """
        WITH chunk AS (
            SELECT user_id, email,
                invited_at IS NULL AND mfa_deadline(accounts, staff) = grace_deadline AS is_by_policy
            FROM staff JOIN accounts ON accounts.id = account_id
            WHERE account_id = $2 AND user_id > $10
            ORDER BY user_id LIMIT $11
        ), planned AS (
            INSERT INTO deliveries
                (event_id, user_id, email, message, queue, resends, required_since, deadline, expires_at, holds_while)
            SELECT $1, user_id, email, $3, $4, $5, $6, $7, $8, $9 FROM chunk
            -- whoever has a deadline of their own is told of that one, and who has joined since of theirs
            WHERE is_by_policy AND NOT EXISTS (SELECT FROM factors WHERE factors.user_id = chunk.user_id)
                AND NOT EXISTS (SELECT FROM events AS joined WHERE joined.id > $1 AND joined.account_id = $2
                    AND joined.subject_id = chunk.user_id AND joined.type = 'MFA_REQUIRED')
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
        FAN_OUT_CHUNK,
    )
    return dispatched


async def mark_dispatched(connection: Connection, event_id: int) -> None:
    """The event has no deliveries."""
    await connection.execute("UPDATE events SET dispatched_at = now() WHERE id = $1", event_id)


async def set_aside(connection: Connection, event_id: int, failure: str) -> None:
    """Keep a broken event out of the way of those behind it, with its reason."""
    await connection.execute(
        "UPDATE events SET failure = $2 WHERE id = $1 AND dispatched_at IS NULL", event_id, failure[:500]
    )
