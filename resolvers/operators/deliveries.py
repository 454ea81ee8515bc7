"""Emails that did not get through, and events that no email could be made of."""

from __future__ import annotations

import db.delivery_status
from db.pool import Database


async def retry(database: Database, ids: list[int] | None) -> tuple[int, int]:
    """Try these failed deliveries again, or (None) all of them and all events; how many of each there were."""
    async with database.transaction() as connection:
        tried = await db.delivery_status.retry(connection, ids)
        return tried, await db.delivery_status.retry_events(connection) if ids is None else 0
