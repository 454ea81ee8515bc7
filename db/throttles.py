"""Throttles: a failure is charged before the guess is looked at; the row's lock makes parallel guesses queue up."""

from __future__ import annotations

from datetime import datetime

from db.pool import Connection
from rules.failures import TooManyAttempts
from rules.throttling import Charge, Limits

KEEP_FAILURES = 1000


async def charge(connection: Connection, key: str, limits: Limits) -> Charge:
    """Charge one failure to `key`. Raises TooManyAttempts, charging nothing, while it is locked."""
    row = await connection.fetchrow(
        """
        INSERT INTO throttles AS throttle (key, failures) VALUES ($1, ARRAY[now()])
        ON CONFLICT (key) DO UPDATE
        SET failures = (throttle.failures || now())[greatest(1, cardinality(throttle.failures) + 2 - $5):],
            updated_at = now()
        WHERE NOT EXISTS (
            SELECT FROM unnest($2::int[], $3::interval[], $4::bool[]) AS window_(n, span, locks),
                LATERAL (SELECT throttle.failures[cardinality(throttle.failures) - n + 1] AS first,
                                throttle.failures[cardinality(throttle.failures)] AS last) AS edge
            WHERE CASE WHEN locks THEN last - first < span AND last + span > now() ELSE first + span > now() END
        )
        RETURNING now() AS at, (
            SELECT min(n - (SELECT count(*) FROM unnest(throttle.failures) AS f WHERE f > now() - span))
            FROM unnest($2::int[], $3::interval[]) AS window_(n, span)
        ) AS remaining
        """,
        key,
        *_windows(limits),
        KEEP_FAILURES,
    )
    if row is None:
        raise TooManyAttempts(await retry_at(connection, key, limits))
    return Charge(key, row["at"], max(0, row["remaining"]))


async def retry_at(connection: Connection, key: str, limits: Limits) -> datetime:
    """When the next guess on a full `key` is allowed; now when it is not full."""
    instant: datetime = await connection.fetchval(
        """
        SELECT coalesce(max(CASE WHEN NOT locks THEN first + span WHEN last - first < span THEN last + span END), now())
        FROM throttles, unnest($2::int[], $3::interval[], $4::bool[]) AS window_(n, span, locks),
            LATERAL (SELECT failures[cardinality(failures) - n + 1] AS first, failures[cardinality(failures)] AS last)
                AS edge
        WHERE key = $1 AND CASE WHEN locks THEN last + span > now() ELSE first + span > now() END
        """,
        key,
        *_windows(limits),
    )
    return instant


async def refund(connection: Connection, charged: Charge) -> None:
    """Give one charge back: the guess was right."""
    await connection.execute(
        """
        UPDATE throttles
        SET failures = failures[:array_position(failures, $2) - 1] || failures[array_position(failures, $2) + 1:]
        WHERE key = $1 AND array_position(failures, $2) IS NOT NULL
        """,
        charged.key,
        charged.at,
    )


async def record_lock(connection: Connection, key: str, until: datetime) -> bool:
    """Whether this lock is new: true once for each, so that it becomes one event."""
    status = await connection.execute(
        "UPDATE throttles SET locked_until = $2 WHERE key = $1 AND (locked_until IS NULL OR locked_until <= now())",
        key,
        until,
    )
    return status == "UPDATE 1"


async def clear(connection: Connection, key: str) -> None:
    """Forget the failures: an admin or the operator has acted."""
    await connection.execute("DELETE FROM throttles WHERE key = $1", key)


def _windows(limits: Limits) -> tuple[list[int], list[object], list[bool]]:
    windows = (limits.lock, *limits.budgets)
    return (
        [n for n, _ in windows],
        [span for _, span in windows],
        [index == 0 for index in range(len(windows))],
    )
