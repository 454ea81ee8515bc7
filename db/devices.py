"""The programs and networks that people have signed in from before."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from db.pool import Connection

MOST = 100  # of one person; another one takes the place of the one that was seen least lately


async def see(connection: Connection, user_id: UUID, digest: bytes) -> bool:
    """Whether this one is new for a person who has signed in before, under their lock; from now on it is not."""
    row = await connection.fetchrow(
        """
        INSERT INTO seen_devices AS seen (user_id, digest) VALUES ($1, $2)
        ON CONFLICT (user_id, digest) DO UPDATE SET last_seen_at = now()
        RETURNING first_seen_at = now() AS is_new,
            (SELECT count(*) FROM seen_devices AS other WHERE other.user_id = $1 AND digest <> $2) AS others
        """,
        user_id,
        digest,
    )
    assert row is not None
    if row["is_new"] and row["others"] >= MOST:
        await _forget_oldest(connection, user_id)
    return bool(row["is_new"] and row["others"])


async def _forget_oldest(connection: Connection, user_id: UUID) -> None:
    await connection.execute(
        """
        DELETE FROM seen_devices WHERE user_id = $1 AND digest IN (
            SELECT digest FROM seen_devices WHERE user_id = $1 ORDER BY last_seen_at DESC, digest OFFSET $2
        )
        """,
        user_id,
        MOST,
    )


async def forget(connection: Connection, user_id: UUID, event_id: int) -> UUID | None:
    """Let what this event told of be new again; return the session that it told of."""
    session_id: str | None = await connection.fetchval(
        """
        WITH told AS (
            SELECT occurred_at, data ->> 'sessionId' AS session_id FROM events WHERE id = $2
        ), forgotten AS (
            DELETE FROM seen_devices USING told WHERE user_id = $1 AND first_seen_at = told.occurred_at
        )
        SELECT session_id FROM told
        """,
        user_id,
        event_id,
    )
    return UUID(session_id) if session_id else None


async def prune(connection: Connection, lifetime: timedelta) -> None:
    """Forget what was not seen for so long."""
    await connection.execute("DELETE FROM seen_devices WHERE last_seen_at < now() - $1::interval", lifetime)
