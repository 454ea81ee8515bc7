"""Events on their way to a worker: claimed by the relay, dispatched once all their deliveries are written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import db.outbox
from db.pool import Connection
from rules.events.stored import Stored

RELAY_BATCH = 200
QUIET_BATCH = 10_000
MOST_ATTEMPTS = 10
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5, 60
LEFT_FOR = timedelta(days=1)
# What leaving an event has come to.
NEW, LEFT, SET_ASIDE = "NEW", "LEFT", "SET_ASIDE"
LOOKED_AT_ONCE = 1_000
NOT_GOT_THROUGH = "No worker has got through it in "


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


async def dispatch_quiet(connection: Connection, types: list[str], unless_owner: list[str]) -> int:
    """Mark up to 10,000 events as dispatched that nobody is emailed about; return how many.

    Those of these types, and of some if they are about no owner.
    """
    status = await connection.execute(
        """
        UPDATE events SET dispatched_at = now() WHERE id IN (
            SELECT id FROM events
            WHERE dispatched_at IS NULL AND failure IS NULL
                AND (type = ANY ($1) OR type = ANY ($2) AND NOT data @> '{"role": "OWNER"}')
            ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED
        )
        """,
        types,
        unless_owner,
        QUIET_BATCH,
    )
    return int(status.split()[1])


async def claim_for_hand_over(
    connection: Connection, types: list[str], *, of_these: bool, once_more: bool
) -> list[int]:
    """Claim up to 200 events of these types, or of all others and of imports, for handing over to a worker.

    With `once_more` those that were handed over and that no worker has got on with come again, later each time.
    """
    rows = await connection.fetch(
        """
        UPDATE events SET handed_at = now(), hand_overs = least(hand_overs + 1, 100) WHERE id IN (
            SELECT id FROM events
            WHERE dispatched_at IS NULL AND failure IS NULL
                -- of an import there may be any number, whatever type they are
                AND (type = ANY ($1) AND NOT data @> '{"isImported": true}') = $2
                AND (handed_at IS NULL
                     OR $6 AND handed_at < now() - make_interval(secs => least($4 * 2 ^ (hand_overs - 1), $5)))
            ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED
        )
        RETURNING id
        """,
        types,
        of_these,
        RELAY_BATCH,
        FIRST_PAUSE_S,
        LONGEST_PAUSE_S,
        once_more,
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
    """Count an attempt, so that none crashes or fails for ever; false when there is nothing left to do."""
    attempts = await connection.fetchval(
        """
        UPDATE events SET attempts = attempts + 1, handed_at = now(),
            failure = CASE WHEN attempts >= $2 THEN $3 || $2 || ' attempts.' END
        WHERE id = $1 AND dispatched_at IS NULL AND failure IS NULL
        RETURNING attempts
        """,
        event_id,
        MOST_ATTEMPTS,
        NOT_GOT_THROUGH,
    )
    return attempts is not None and attempts <= MOST_ATTEMPTS


async def give_back(connection: Connection, event_ids: list[int]) -> None:
    """Take back the attempts counted for these: the database was away, or the worker was to end."""
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


async def mark_dispatched(connection: Connection, event_id: int) -> None:
    """The event has no deliveries."""
    await connection.execute("UPDATE events SET dispatched_at = now() WHERE id = $1", event_id)


async def set_aside(connection: Connection, event_id: int, failure: str) -> None:
    """Keep a broken event out of the way of those behind it, with its reason."""
    await connection.execute(
        "UPDATE events SET failure = $2 WHERE id = $1 AND dispatched_at IS NULL", event_id, failure[:500]
    )


async def leave(connection: Connection, event_id: int, failure: str) -> str:
    """Leave an event to a worker that knows it: NEW, LEFT before, or SET_ASIDE once that has lasted a day.

    It is no attempt, holds up no mail, and is handed over again as one that no worker got on with.
    """
    came_to: str = await connection.fetchval(
        """
        UPDATE events SET attempts = greatest(attempts - 1, 0), left_at = coalesce(left_at, now()),
            failure = CASE WHEN left_at <= now() - $3::interval THEN $2 END
        WHERE id = $1
        RETURNING CASE WHEN failure IS NOT NULL THEN 'SET_ASIDE' WHEN left_at = now() THEN 'NEW' ELSE 'LEFT' END
        """,
        event_id,
        failure[:500],
        LEFT_FOR,
    )
    return came_to


async def unreadable(connection: Connection, types: list[str], after: int) -> list[tuple[int, Stored]]:
    """Up to 1,000 events of these types behind `after` that were set aside since a worker could not read them."""
    rows = await connection.fetch(
        """
        SELECT id, type, account_id, subject_id, actor_id, data, service_key FROM events
        WHERE failure IS NOT NULL AND NOT starts_with(failure, $1) AND type = ANY ($2) AND id > $3
        ORDER BY id LIMIT $4
        """,
        NOT_GOT_THROUGH,
        types,
        after,
        LOOKED_AT_ONCE,
    )
    return [(row["id"], db.outbox.stored_from(row)) for row in rows]


async def revive(connection: Connection, event_ids: list[int]) -> None:
    """Hand events that were set aside to the workers again."""
    await connection.execute(
        """
        UPDATE events SET failure = NULL, attempts = 0, hand_overs = 0, handed_at = NULL, left_at = NULL
        WHERE id = ANY ($1) AND failure IS NOT NULL
        """,
        event_ids,
    )
