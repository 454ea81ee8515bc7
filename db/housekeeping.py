"""What has ended and is of no use to anyone any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

import db.answers
import db.devices
import db.digests
from db.pool import Connection
from rules.devices import LIFETIME
from rules.digests import KEPT_FOR
from rules.idempotency import LIFETIME as KEY_LIFETIME
from rules.links import LONGEST
from rules.service_keys import ANSWER_LIFETIME
from rules.throttling import LONGEST_SPAN

PRUNE_BATCH = 10_000


def kinds(session_idle: timedelta) -> list[Callable[[Connection], Awaitable[object]]]:
    """What deletes ended sessions, challenges, enrollments, links and the like, and throttles that count no more.

    What somebody holds is left for the next time: whoever takes many rows and waits for none is in nobody's way.
    """
    return [
        partial(_prune_sessions, idle=session_idle),
        _end_sessions_of_uninvited,
        _prune_what_has_expired,
        partial(db.devices.prune, lifetime=LIFETIME),
        partial(db.digests.prune, kept_for=KEPT_FOR),
        partial(db.answers.prune, lifetime=KEY_LIFETIME),
        _prune_service_answers,
        _prune_throttles,
    ]


async def _prune_sessions(connection: Connection, idle: timedelta) -> None:
    await connection.execute(
        """
        DELETE FROM sessions WHERE id IN (
            SELECT id FROM sessions
            WHERE expires_at < now() OR last_used_at < now() - $1::interval FOR UPDATE SKIP LOCKED
        )
        """,
        idle,
    )


async def _end_sessions_of_uninvited(connection: Connection) -> None:
    """Sign out whoever came in on an invitation alone that has lapsed, or whose sender may not invite any more."""
    await connection.execute(
        """
        WITH awaited AS MATERIALIZED (
            -- looked up for each session (OFFSET keeps it so): of those who never came there may be millions
            SELECT id, user_id FROM sessions
            WHERE EXISTS (SELECT FROM staff
                WHERE staff.user_id = sessions.user_id AND invited_at IS NOT NULL OFFSET 0)
        )
        DELETE FROM sessions WHERE id IN (
            SELECT sessions.id FROM awaited JOIN sessions USING (id)
            WHERE is_let_in_nowhere(awaited.user_id) FOR UPDATE OF sessions SKIP LOCKED
        )
        """
    )


async def _prune_what_has_expired(connection: Connection) -> None:
    await connection.execute(
        """
        WITH challenged AS (
            DELETE FROM challenges WHERE id IN (
                SELECT id FROM challenges WHERE expires_at < now() FOR UPDATE SKIP LOCKED
            )
        ), passed AS (
            DELETE FROM recovery_passes WHERE user_id IN (
                SELECT user_id FROM recovery_passes WHERE expires_at < now() FOR UPDATE SKIP LOCKED
            )
        ), enrolling AS (
            DELETE FROM enrollments WHERE user_id IN (
                SELECT user_id FROM enrollments WHERE expires_at < now() FOR UPDATE SKIP LOCKED
            )
        )
        DELETE FROM links WHERE token_hash IN (
            SELECT token_hash FROM links WHERE expires_at < now() FOR UPDATE SKIP LOCKED
        )
        """
    )


async def _prune_service_answers(connection: Connection) -> None:
    await connection.execute(
        """
        DELETE FROM service_answers WHERE (scope, idempotency_key) IN (
            SELECT scope, idempotency_key FROM service_answers
            WHERE created_at < now() - $1::interval FOR UPDATE SKIP LOCKED
        )
        """,
        ANSWER_LIFETIME,
    )


async def _prune_throttles(connection: Connection) -> None:
    await connection.execute(
        """
        DELETE FROM throttles WHERE key IN (
            SELECT key FROM throttles WHERE updated_at < now() - $1::interval FOR UPDATE SKIP LOCKED
        )
        """,
        LONGEST_SPAN,
    )


async def prune_events(connection: Connection, older_than_days: int) -> int:
    """Delete what is older of the first 10,000 not set aside, if dispatched and without deliveries; return how many.

    Ids are given in the order of time, near enough, so that the oldest are found without looking at all. The database
    lets events be deleted only in a transaction that says that it prunes. None goes while a link of its email may hold,
    which says of what it does that it is about that event.
    """
    status = await connection.execute(
        """
        DELETE FROM events WHERE (SELECT set_config('gatehouse.pruning', 'on', true)) = 'on' AND id IN (
            SELECT id FROM (
                -- those set aside stay, however many they are
                SELECT id, occurred_at, dispatched_at FROM events WHERE failure IS NULL ORDER BY id LIMIT $2
            ) AS oldest
            WHERE occurred_at < now() - greatest(make_interval(days => $1), $3::interval) AND dispatched_at IS NOT NULL
                AND NOT EXISTS (SELECT FROM deliveries WHERE event_id = oldest.id)
        )
        """,
        older_than_days,
        PRUNE_BATCH,
        LONGEST,
    )
    return int(status.split()[1])
