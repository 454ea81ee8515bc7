"""The database's figures as metrics, asked for when somebody scrapes, and no oftener than they cost little."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

import db.away
import db.figures
import db.looking
from db.pool import Connection
from server.status.kept import LIMITED_SHARE, Kept, SoFar

Metrics: TypeAlias = list[Metric]

LINE_KEPT_S, LINE_TIMEOUT_S = 1.0, 3.0
COUNTS_KEPT_S, COUNTS_TIMEOUT_S = 60.0, 30.0
COUNTS_WAITED_FOR_S = 1.0


class DatabaseFigures:
    """What all parts of one database show alike: whoever adds them up takes the greatest, not the sum.

    Alerts look at the mail line, so it is shown whatever the rest takes. The counts are of all that there is: a scrape
    waits for them a moment, and otherwise shows those from before.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lines = Kept(self._ask_lines, LINE_KEPT_S, LIMITED_SHARE)
        counts = Kept(lambda: self._ask(_counts, COUNTS_TIMEOUT_S), COUNTS_KEPT_S)
        self._counts = SoFar(counts, COUNTS_WAITED_FOR_S, [])

    async def metrics(self) -> Metrics:
        """The metrics; none while the database does not answer."""
        return [*await self._lines.get(), *await self._counts.get()]

    async def _ask_lines(self) -> Metrics:
        """One look after the other, each with a time of its own: what webhooks take hides no mail line."""
        return [*await self._ask(_line, LINE_TIMEOUT_S), *await self._ask(_webhooks, LINE_TIMEOUT_S)]

    async def _ask(self, ask: Callable[[Connection], Awaitable[Metrics]], within_s: float) -> Metrics:
        with db.away.while_there():
            async with db.looking.looking(self._url, within_s) as connection:
                return await ask(connection)
        return []


async def _line(connection: Connection) -> Metrics:
    line = await db.figures.line(connection)
    oldest_event = "Age in seconds of the oldest event that is not dispatched; 0 when there is none."
    oldest_due = "How many seconds ago the oldest email that waits was due; 0 when there is none."
    return [
        GaugeMetricFamily("gatehouse_oldest_undispatched_event_age_seconds", oldest_event, line.oldest_event_s),
        GaugeMetricFamily("gatehouse_oldest_due_delivery_age_seconds", oldest_due, line.oldest_due_s),
        GaugeMetricFamily("gatehouse_events_set_aside", "Events that no worker could dispatch.", line.set_aside),
    ]


async def _webhooks(connection: Connection) -> Metrics:
    hooks = GaugeMetricFamily("gatehouse_webhooks", "Endpoints that are told of events.", labels=["whose", "state"])
    counts = {(whose, state): 0 for whose in ("platform", "account") for state in ("on", "failing", "off")}
    for is_platforms, state, count in await db.figures.webhooks(connection):
        counts["platform" if is_platforms else "account", state] = count
    for labels, count in counts.items():
        hooks.add_metric(labels, count)
    age_s = await db.figures.oldest_due_webhook_s(connection)
    oldest_due = "How many seconds ago the oldest delivery to an endpoint that answers was due; 0 when there is none."
    return [hooks, GaugeMetricFamily("gatehouse_oldest_due_webhook_delivery_age_seconds", oldest_due, age_s)]


async def _counts(connection: Connection) -> Metrics:
    states = await db.figures.staff_states(connection)
    deliveries = GaugeMetricFamily("gatehouse_deliveries", "Emails on record.", labels=["queue", "state"])
    for queue, state, count in await db.figures.deliveries(connection):
        deliveries.add_metric([queue, state], count)
    staff = GaugeMetricFamily("gatehouse_staff", "Memberships, by what the roster shows.", labels=["state"])
    for state, count in (("enrolled", states.enrolled), ("pending", states.pending), ("blocked", states.blocked)):
        staff.add_metric([state], count)
    return [deliveries, staff]
