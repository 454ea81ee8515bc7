"""The cast with a deadline that is near, and what is planned and sent about it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest_asyncio

from db import deliveries
from db.pool import Database, open_database
from tests.people import World, require_mfa
from workers.dispatching import Dispatcher

THRESHOLDS = (7, 3, 1)


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[Database]:
    """The database as a worker uses it."""
    pool = await open_database(database_url, 5, "gatehouse-worker")
    yield pool
    await pool.close()


async def days_left(cast: World, days: float, *, grace_days: int = 14) -> None:
    """Let the agency have that many days left of its grace period."""
    await require_mfa(cast.database, cast.account_id, days_ago=grace_days - days, grace_days=grace_days)


async def give_more_time(cast: World, name: str, days: float, *, is_exempt: bool = False) -> None:
    """Let the member's own deadline be that many days ahead, or their exemption end then, as was said a month ago."""
    await cast.database.execute(
        """
        WITH given AS (
            INSERT INTO mfa_exceptions (account_id, user_id, kind, until, reason, created_at)
            VALUES ($1, $2, CASE WHEN $4 THEN 'EXEMPTED' ELSE 'EXTENDED' END,
                now() + $3::float8 * interval '24 hours', 'On leave', now() - interval '30 days')
            RETURNING until
        )
        UPDATE staff SET excepted_until = until, is_exempt = $4 FROM given WHERE account_id = $1 AND user_id = $2
        """,
        cast.account_id,
        await cast.user_id(name),
        days,
        is_exempt,
    )


async def facts(cast: World, event_type: str = "GRACE_REMINDER_SENT") -> list[dict[str, Any]]:
    """The facts of the events of a type, oldest first."""
    return [event["data"] for event in await cast.events(event_type)]


async def planned(cast: World, pool: Database) -> list[str]:
    """Plan the deliveries of all events; whom they go to."""
    for event in await cast.database.fetch("SELECT id FROM events WHERE dispatched_at IS NULL ORDER BY id"):
        await Dispatcher().dispatch(pool, event["id"])
    rows = await cast.database.fetch("SELECT split_part(email, '@', 1) AS name FROM deliveries ORDER BY email")
    return [row["name"] for row in rows]


async def sends(cast: World, pool: Database) -> list[str]:
    """Claim all that is to be sent; whom it goes to."""
    async with pool.connection() as connection:
        claimed = await deliveries.claim(connection, "bulk", uuid4(), 100, 24)
    return sorted(each.email.split("@")[0] for each in claimed)
