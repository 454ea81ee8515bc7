"""What is of no use to anyone any more goes, kind by kind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import db.alerts
import db.deliveries
import db.housekeeping
import db.webhook_deliveries
import db.webhooks
import workers.steps
from db.pool import Connection, Database
from settings import Settings


async def prune(database: Database, settings: Settings) -> int:
    """Delete it; return how many kinds could be. What fails keeps no other from going: the first is raised after."""
    # An event stays as long as a delivery of it, and must not stay for that.
    days = settings.delivery_retention_days
    deliveries_days = min(days, settings.event_retention_days or days)
    kinds: list[Callable[[Connection], Awaitable[object]]] = [
        partial(db.deliveries.prune, older_than_days=deliveries_days),
        *db.housekeeping.kinds(settings.time_limits.session_idle),
        db.webhook_deliveries.prune_removed,
        db.webhooks.prune,
        db.webhook_deliveries.give_up,
        db.webhook_deliveries.prune,
        db.alerts.prune,
    ]
    if settings.event_retention_days:
        kinds.append(partial(db.housekeeping.prune_events, older_than_days=settings.event_retention_days))

    async def prune_one(kind: Callable[[Connection], Awaitable[object]]) -> int:
        async with database.connection() as connection:
            await kind(connection)
        return 1

    return await workers.steps.each(*(partial(prune_one, kind) for kind in kinds))
