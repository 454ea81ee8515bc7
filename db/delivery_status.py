"""What operators see of deliveries: how many are in which state, which failed and why, and trying those again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from db.pool import Connection


@dataclass(frozen=True)
class StateCount:
    """How many deliveries of a queue are in a state, and the age of the oldest."""

    queue: str
    state: str
    count: int
    oldest_s: float


@dataclass(frozen=True)
class SetAside:
    """An event that no worker could dispatch."""

    id: int
    type: str
    occurred_at: datetime
    failure: str


@dataclass(frozen=True)
class Failed:
    """A delivery that did not get through."""

    id: int
    email: str
    message: str
    attempts: int
    created_at: datetime
    last_error: str | None


async def counts(connection: Connection) -> list[StateCount]:
    """Counts per queue and state; events not dispatched yet, or set aside, count as the queue 'events'.

    Those are 'unknown' that wait for a worker of a later version.
    """
    rows = await connection.fetch(
        """
        SELECT queue, state, count(*) AS count, extract(epoch FROM now() - min(created_at))::float8 AS oldest_s
        FROM deliveries GROUP BY queue, state
        UNION ALL
        SELECT 'events', CASE WHEN left_at IS NULL THEN 'undispatched' ELSE 'unknown' END, count(*),
            extract(epoch FROM now() - min(occurred_at))::float8
        FROM events WHERE dispatched_at IS NULL AND failure IS NULL GROUP BY left_at IS NULL
        UNION ALL
        SELECT 'events', 'set aside', count(*), extract(epoch FROM now() - min(occurred_at))::float8
        FROM events WHERE failure IS NOT NULL HAVING count(*) > 0
        ORDER BY queue DESC, state
        """
    )
    return [StateCount(**row) for row in rows]


async def set_aside(connection: Connection, limit: int) -> list[SetAside]:
    """The newest events that were set aside."""
    rows = await connection.fetch(
        "SELECT id, type, occurred_at, failure FROM events WHERE failure IS NOT NULL ORDER BY id DESC LIMIT $1", limit
    )
    return [SetAside(**row) for row in rows]


async def failed(connection: Connection, limit: int) -> list[Failed]:
    """The newest failed deliveries."""
    rows = await connection.fetch(
        """
        SELECT id, email, message, attempts, created_at, last_error FROM deliveries
        WHERE state = 'failed' ORDER BY id DESC LIMIT $1
        """,
        limit,
    )
    return [Failed(**row) for row in rows]


async def retry(connection: Connection, ids: list[int] | None) -> int:
    """Try failed deliveries again, these or all (None), for another whole retry time; return how many."""
    status = await connection.execute(
        """
        UPDATE deliveries SET state = 'pending', next_attempt_at = now(), created_at = now(), attempts = 0
        WHERE state = 'failed' AND ($1::bigint[] IS NULL OR id = ANY ($1))
        """,
        ids,
    )
    return int(status.split()[1])


async def retry_events(connection: Connection) -> int:
    """Hand the events that were set aside to the workers again; return how many."""
    status = await connection.execute(
        """
        UPDATE events SET failure = NULL, attempts = 0, hand_overs = 0, handed_at = NULL, left_at = NULL
        WHERE failure IS NOT NULL
        """
    )
    return int(status.split()[1])
