"""The programs and networks that people have signed in from before; a session that starts sees its own."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import rules.events.stored
from db.pool import Connection
from rules.events.signing_in import NewDeviceSignedIn

AMR = rules.events.stored.key_of(NewDeviceSignedIn, "amr")
MOST = 100  # of one person; another one takes the place of the one that was seen least lately
PRUNE_BATCH = 10_000


async def forget_oldest(connection: Connection, user_id: UUID) -> None:
    """Keep those that were seen last, under the person's lock."""
    await connection.execute(
        """
        DELETE FROM seen_devices WHERE user_id = $1 AND digest IN (
            SELECT digest FROM seen_devices WHERE user_id = $1 ORDER BY last_seen_at DESC, digest OFFSET $2
        )
        """,
        user_id,
        MOST,
    )


async def forget(connection: Connection, user_id: UUID, since: datetime) -> None:
    """Let every device be new again that has come since then, and every cookie.

    Under the person's lock, so that it is after whatever has come in.
    """
    await connection.execute(
        """
        WITH forgotten AS (
            DELETE FROM seen_devices WHERE user_id = $1 AND first_seen_at >= $2
        )
        UPDATE users SET devices_forgotten_at = clock_timestamp() WHERE id = $1
        """,
        user_id,
        since,
    )


async def came_by(connection: Connection, event_id: int) -> str:
    """By what the sign-in was that this event told of; nothing where the event is gone, or a service key had begun it.

    What a product calls its own way in is none of ours; the sign-in's own event, of the same request, tells.
    """
    amr: str | None = await connection.fetchval(
        """
        SELECT data ->> $2::text FROM events AS told WHERE id = $1 AND NOT EXISTS (
            SELECT FROM events AS began
            WHERE began.subject_id = told.subject_id AND began.request_id = told.request_id
                AND began.service_key IS NOT NULL)
        """,
        event_id,
        AMR,
    )
    return amr or ""


async def prune(connection: Connection, lifetime: timedelta) -> None:
    """Forget what was not seen for so long, but of each person what was seen last: the next is no first one.

    What is kept so is marked by its sighting and looked at no more; it goes when the person signs in elsewhere.
    """
    await connection.execute(
        """
        WITH old AS MATERIALIZED (
            SELECT user_id, digest, EXISTS (
                SELECT FROM seen_devices AS later WHERE later.user_id = seen.user_id
                    AND (later.last_seen_at, later.digest) > (seen.last_seen_at, seen.digest)) AS is_followed
            FROM seen_devices AS seen
            WHERE last_seen_at < now() - $1::interval AND kept_at IS DISTINCT FROM last_seen_at
            ORDER BY last_seen_at LIMIT $2
            FOR UPDATE SKIP LOCKED
        ), kept AS (
            UPDATE seen_devices AS seen SET kept_at = last_seen_at FROM old
            WHERE NOT is_followed AND (seen.user_id, seen.digest) = (old.user_id, old.digest)
        )
        DELETE FROM seen_devices AS seen USING old
        WHERE is_followed AND (seen.user_id, seen.digest) = (old.user_id, old.digest)
        """,
        lifetime,
        PRUNE_BATCH,
    )
