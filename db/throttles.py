"""Throttles: a failure is charged before the guess is looked at; the row's lock makes parallel guesses queue up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from db.pool import Connection
from rules.failures import TooManyAttempts
from rules.throttling import DAY, Charge, Limits, Tally

KEEP_FAILURES = 1000


async def charge(
    connection: Connection,
    key: str,
    limits: Limits,
    tallies: Sequence[tuple[str, Tally]] = (),
    when_full: Limits | None = None,
) -> Charge:
    """Charge one failure to each of the tallies, which close nothing, and to `key`; `count` is of the first of all.

    While a tally is full, `when_full` holds in place of `limits`. Raises TooManyAttempts, charging nothing, while the
    key is locked. Rows are locked in the order of the tallies, the key's last.
    """
    row = await connection.fetchrow(
        """
        WITH tally AS (
            SELECT * FROM unnest($6::text[], $7::interval[], $8::int[])
                WITH ORDINALITY AS tally (key, span, most, number)
        ), counted AS (
            INSERT INTO throttles AS throttle (key, failures)
            SELECT key, ARRAY[now()] FROM tally
            -- whoever is refused anyway writes nothing, and waits for nobody
            WHERE NOT EXISTS (
                SELECT FROM throttles AS closed, unnest($2::int[], $3::interval[], $4::bool[], $5::bool[])
                    AS window_(n, span, locks, is_when_full)
                WHERE closed.key = $1 AND NOT is_when_full AND closed_until(failures, n, span, locks) > now()
            )
            ORDER BY number
            ON CONFLICT (key) DO UPDATE
            SET failures = one_more(throttle.failures, $9), updated_at = now()
            RETURNING key, failures
        ), tallied AS (
            SELECT coalesce(bool_or(count > most), false) AS is_full, (array_agg(count ORDER BY number))[1] AS first
            FROM counted JOIN tally USING (key),
                LATERAL (SELECT count(*) FROM unnest(failures) AS f WHERE f > now() - span) AS counts
        ), charged AS (
            INSERT INTO throttles AS throttle (key, failures) SELECT $1, ARRAY[now()] FROM tallied
            ON CONFLICT (key) DO UPDATE
            SET failures = one_more(throttle.failures, $9), updated_at = now()
            WHERE NOT EXISTS (
                SELECT FROM unnest($2::int[], $3::interval[], $4::bool[], $5::bool[])
                    AS window_(n, span, locks, is_when_full)
                WHERE is_when_full = (SELECT is_full FROM tallied)
                    AND closed_until(throttle.failures, n, span, locks) > now()
            )
            RETURNING (
                SELECT min(n - (SELECT count(*) FROM unnest(throttle.failures) AS f WHERE f > now() - span))
                FROM unnest($2::int[], $3::interval[], $5::bool[]) AS window_(n, span, is_when_full)
                WHERE is_when_full = (SELECT is_full FROM tallied)
            ) AS remaining, (
                SELECT count(*) FROM unnest(throttle.failures) AS f WHERE f > now() - $10::interval
            ) AS count
        )
        SELECT now(), is_full, remaining, coalesce(first, count) AS count, first IS NOT NULL AS is_tallied
        FROM tallied LEFT JOIN charged ON true
        """,
        key,
        *_both_windows(limits, when_full or limits),
        [tally_key for tally_key, _ in tallies],
        [tally.span for _, tally in tallies],
        [tally.most for _, tally in tallies],
        KEEP_FAILURES,
        DAY,
    )
    assert row is not None
    tally_keys = tuple(tally_key for tally_key, _ in tallies)
    if row["remaining"] is not None:
        return Charge((*tally_keys, key), row["now"], max(0, row["remaining"]), row["count"])
    if row["is_tallied"]:  # the key was locked only then, or only because a tally is full
        await give_back(connection, Charge(tally_keys, row["now"], 0))
    held = (row["is_full"] and when_full) or limits
    raise await closed(connection, key, held) or _refusal(held, row["now"], row["now"])


async def closed(connection: Connection, key: str, limits: Limits) -> TooManyAttempts | None:
    """Why, and until when, no guess on a full `key` is looked at; None when it is not full."""
    row = await connection.fetchrow(
        """
        SELECT max(closed_until(failures, n, span, locks)) AS until, now()
        FROM throttles, unnest($2::int[], $3::interval[], $4::bool[]) AS window_(n, span, locks)
        WHERE key = $1 AND closed_until(failures, n, span, locks) > now()
        """,
        key,
        *windows(limits),
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


def windows(limits: Limits) -> tuple[list[int], list[object], list[bool]]:
    windows = (limits.lock, *limits.budgets)
    return (
        [n for n, _ in windows],
        [span for _, span in windows],
        [index == 0 for index in range(len(windows))],
    )


def _both_windows(limits: Limits, when_full: Limits) -> tuple[list[int], list[object], list[bool], list[bool]]:
    """Those of the limits and of those that hold while a tally is full, and which of them are these."""
    numbers, spans, locks = windows(limits)
    others = windows(when_full)
    return (
        numbers + others[0],
        spans + others[1],
        locks + others[2],
        [False] * len(numbers) + [True] * len(others[0]),
    )


def _refusal(limits: Limits, until: datetime, now: datetime) -> TooManyAttempts:
    most, span = limits.lock
    return TooManyAttempts(until, most=most, span=span, wait=max(until - now, timedelta(0)))
