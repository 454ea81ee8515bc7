"""Changes of tables that are in use, made in short tries.

Whoever waits for a table to change it makes everyone behind wait, too: so each try is short, and is made again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from db.pool import Connection

LOCK_TIMEOUT_S = 1
MOST_TRIES = 10
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 3.0

T = TypeVar("T")


class InUseError(Exception):
    """Its tables were in use in all of the tries; the message says who has been there for longest."""


async def make(connection: Connection, what: str, change: Callable[[], Awaitable[T]]) -> T:
    """What `change` gives, made in a transaction; `what` names it in a sentence. Raises InUseError."""
    pause_s = FIRST_PAUSE_S
    for tries_left in reversed(range(MOST_TRIES)):
        try:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'")
                return await change()
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            if not tries_left:
                raise InUseError(await _what_is_in_the_way(connection, what)) from None
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
    raise AssertionError


async def _what_is_in_the_way(connection: Connection, what: str) -> str:
    oldest = await connection.fetchrow(
        """
        SELECT pid, application_name, extract(epoch FROM now() - xact_start)::int AS open_s FROM pg_stat_activity
        WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
        ORDER BY xact_start LIMIT 1
        """
    )
    sentence = f"{what} found its tables in use in {MOST_TRIES} tries"
    if oldest is not None:
        who = f" ({oldest['application_name']})" if oldest["application_name"] else ""
        sentence += f"; the oldest open transaction is process {oldest['pid']}{who}'s, of {oldest['open_s']} s"
    return f"{sentence}. Nothing of it was applied: run it again."
