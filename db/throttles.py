"""Throttles: a failure is charged before the guess is looked at; the row's lock makes parallel guesses queue up."""

from __future__ import annotations

from datetime import datetime, timedelta

from db.pool import Connection
from rules.failures import TooManyAttempts
from rules.throttling import DAY, Charge, Limits

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
                                throttle.failures[cardinality(throttle.failures)] AS last) AS ends
            WHERE CASE WHEN locks THEN last - first < span AND last + span > now() ELSE first + span > now() END
        )
        RETURNING now() AS at, (
            SELECT min(n - (SELECT count(*) FROM unnest(throttle.failures) AS f WHERE f > now() - span))
            FROM unnest($2::int[], $3::interval[]) AS window_(n, span)
        ) AS remaining, (SELECT count(*) FROM unnest(throttle.failures) AS f WHERE f > now() - $6::interval) AS count
        """,
        key,
        *_windows(limits),
        KEEP_FAILURES,
        DAY,
    )
    if row is None:
        now = await _now(connection)
        raise await closed(connection, key, limits) or _refusal(limits, now, now)
    return Charge((key,), row["at"], max(0, row["remaining"]), row["count"])


async def count(connection: Connection, key: str, span: timedelta) -> int:
    """Count one failure to `key`, which closes nothing; return how many there were within the span, this one too."""
    counted: int = await connection.fetchval(
        """
        INSERT INTO throttles AS throttle (key, failures) VALUES ($1, ARRAY[now()])
        ON CONFLICT (key) DO UPDATE
        SET failures = (throttle.failures || now())[greatest(1, cardinality(throttle.failures) + 2 - $3):],
            updated_at = now()
        RETURNING (SELECT count(*) FROM unnest(throttle.failures) AS f WHERE f > now() - $2::interval)
        """,
        key,
        span,
        KEEP_FAILURES,
    )
    return counted


async def closed(connection: Connection, key: str, limits: Limits) -> TooManyAttempts | None:
    """Why, and until when, no guess on a full `key` is looked at; None when it is not full."""
    row = await connection.fetchrow(
        """
        SELECT max(CASE WHEN NOT locks THEN first + span WHEN last - first < span THEN last + span END) AS until, now()
        FROM throttles, unnest($2::int[], $3::interval[], $4::bool[]) AS window_(n, span, locks),
            LATERAL (SELECT failures[cardinality(failures) - n + 1] AS first,
                            failures[cardinality(failures)] AS last) AS ends
        WHERE key = $1 AND CASE WHEN locks THEN last + span > now() ELSE first + span > now() END
        """,
        key,
        *_windows(limits),
    )
    assert row is not None
    return row["until"] and _refusal(limits, row["until"], row["now"])


async def give_back(connection: Connection, charged: Charge) -> None:
    """Give a charge back, at each of its keys: the guess was right, or nobody looked at it. Twice does no harm."""
    await connection.execute(
        """
        UPDATE throttles
        SET failures = failures[:array_position(failures, $2) - 1] || failures[array_position(failures, $2) + 1:]
        FROM (
            SELECT key FROM throttles WHERE key = ANY ($1) ORDER BY array_position($1, key) FOR UPDATE
        ) AS held
        WHERE throttles.key = held.key AND array_position(failures, $2) IS NOT NULL
        """,
        list(charged.keys),
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


async def is_due(connection: Connection, key: str, interval: timedelta) -> bool:
    """Whether what `key` names did not happen within the interval; from now on it did."""
    status = await connection.execute(
        """
        INSERT INTO throttles AS throttle (key, failures, locked_until) VALUES ($1, '{}', now() + $2::interval)
        ON CONFLICT (key) DO UPDATE SET locked_until = excluded.locked_until, updated_at = now()
        WHERE throttle.locked_until <= now()
        """,
        key,
        interval,
    )
    return status == "INSERT 0 1"


async def touch(connection: Connection, key: str) -> None:
    """Write to the throttle and change nothing: it takes as long as writing what is to be told."""
    await connection.execute("UPDATE throttles SET updated_at = now() WHERE key = $1", key)


async def clear(connection: Connection, key: str) -> None:
    """Forget the failures: an admin or the operator has acted."""
    await connection.execute("DELETE FROM throttles WHERE key = $1", key)


async def _now(connection: Connection) -> datetime:
    instant: datetime = await connection.fetchval("SELECT now()")
    return instant


def _windows(limits: Limits) -> tuple[list[int], list[object], list[bool]]:
    windows = (limits.lock, *limits.budgets)
    return (
        [n for n, _ in windows],
        [span for _, span in windows],
        [index == 0 for index in range(len(windows))],
    )


def _refusal(limits: Limits, until: datetime, now: datetime) -> TooManyAttempts:
    most, span = limits.lock
    return TooManyAttempts(until, most=most, span=span, wait=max(until - now, timedelta(0)))
