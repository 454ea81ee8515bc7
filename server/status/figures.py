"""The database's figures as metrics, asked for when somebody scrapes, and no oftener than they cost little."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import asyncpg
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

import db.away
import db.figures
from db.pooler import LentConnection
from server.status.kept import Kept

ASKED_EVERY_S = 1.0
TIMEOUT_S = 10.0


class DatabaseFigures:
    """What all parts of one database show alike: whoever adds them up takes the greatest, not the sum."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._kept = Kept(self._ask, ASKED_EVERY_S)

    async def metrics(self) -> Iterable[Metric]:
        """The metrics; none while the database does not answer."""
        return await self._kept.get()

    async def _ask(self) -> Iterable[Metric]:
        with db.away.while_there():
            async with asyncio.timeout(TIMEOUT_S):
                connection = await asyncpg.connect(self._url, statement_cache_size=0, connection_class=LentConnection)
                try:
                    return await _all(connection)
                finally:
                    connection.terminate()
        return []


async def _all(connection: asyncpg.Connection[asyncpg.Record]) -> list[Metric]:
    line, states = await db.figures.line(connection), await db.figures.staff_states(connection)
    deliveries = GaugeMetricFamily("gatehouse_deliveries", "Emails on record.", labels=["queue", "state"])
    for queue, state, count in await db.figures.deliveries(connection):
        deliveries.add_metric([queue, state], count)
    staff = GaugeMetricFamily("gatehouse_staff", "Memberships, by what the roster shows.", labels=["state"])
    for state, count in (("enrolled", states.enrolled), ("pending", states.pending), ("blocked", states.blocked)):
        staff.add_metric([state], count)
    oldest_event = "Age in seconds of the oldest event that is not dispatched; 0 when there is none."
    oldest_due = "How many seconds ago the oldest email that waits was due; 0 when there is none."
    return [
        GaugeMetricFamily("gatehouse_oldest_undispatched_event_age_seconds", oldest_event, line.oldest_event_s),
        GaugeMetricFamily("gatehouse_oldest_due_delivery_age_seconds", oldest_due, line.oldest_due_s),
        GaugeMetricFamily("gatehouse_events_set_aside", "Events that no worker could dispatch.", line.set_aside),
        deliveries,
        staff,
    ]
