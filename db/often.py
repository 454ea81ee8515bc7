"""What may be done so often and no more, whoever is right: counted in the transaction of what is done."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from db.pool import Connection
from rules.failures import TooManyAttempts
from rules.often import TOO_OFTEN


async def count(connection: Connection, keys: Collection[str], most: int, span: timedelta) -> set[str]:
    """Count one more at each of the keys that has room, at most so many within the span; which these are."""
    rows = await connection.fetch(
        """
        INSERT INTO throttles AS throttle (key, failures)
        SELECT key, ARRAY[now()] FROM unnest($1::text[]) AS key ORDER BY key
        ON CONFLICT (key) DO UPDATE
        SET failures = one_more(throttle.failures, $2), updated_at = now()
        WHERE (closed_until(throttle.failures, $2, $3, false) > now()) IS NOT TRUE
        RETURNING key
        """,
        list(keys),
        most,
        span,
    )
    return {row["key"] for row in rows}


async def charge(
    connection: Connection, keys: Collection[str], most: int, span: timedelta, message: str = TOO_OFTEN
) -> None:
    """Count one more at each of the keys. Raises TooManyAttempts where one has no room."""
    if full := set(keys) - await count(connection, keys, most, span):
        raise await _refusal(connection, min(full), most, span, message)


async def _refusal(connection: Connection, key: str, most: int, span: timedelta, message: str) -> TooManyAttempts:
    row = await connection.fetchrow(
        """
        SELECT until, until - now() AS wait
        FROM throttles, LATERAL (SELECT closed_until(failures, $2, $3, false) AS until) AS frees_up
        WHERE key = $1
        """,
        key,
        most,
        span,
    )
    assert row is not None
    return TooManyAttempts(row["until"], message, most=most, span=span, wait=max(row["wait"], timedelta(0)))
