"""The outbox: an event is appended in the transaction of its change, or neither happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import asyncpg

import db.often
from db.pool import Connection
from rules.events.base import Event, Repeatable
from rules.events.catalogue import SHOWN_EVERYWHERE, SHOWN_NOWHERE, SHOWN_WHEN_DISPATCHED
from rules.events.stored import OPERATOR, SESSION_METHOD, Stored
from rules.often import OWN_ACT_SPAN, OWN_ACTS_MAILED, SPAN
from telemetry import operators, requests, traces


async def append(connection: Connection, event: Event) -> None:
    """Append an event; it shows in its account's log, or in the logs of all accounts that its subject is staff of.

    One that shows when it is dispatched shows nowhere yet.
    """
    await append_all(connection, [event])


async def append_all(connection: Connection, events: Sequence[Event]) -> None:
    """Append events in this order, each as above; where there is none, nothing is asked of the database.

    Raises TooManyAttempts where somebody has caused one too often today that others are emailed about.
    """
    if not events:
        return
    await _count(connection, events)
    events = await _bounded(connection, events)
    rows = [Stored.of(event) for event in events]
    request = requests.current()
    await connection.execute(
        """
        WITH given AS (
            -- read apart, or the server would count them and plan anew each time, which takes as long as to append
            SELECT * FROM unnest((SELECT $1::text[]), (SELECT $2::uuid[]), (SELECT $3::uuid[]), (SELECT $4::uuid[]),
                    (SELECT $5::jsonb[]), (SELECT $6::text[]))
                WITH ORDINALITY AS given (type, account_id, subject_id, actor_id, data, service_key, number)
        ), appended AS (
            INSERT INTO events (type, account_id, subject_id, actor_id, data, service_key, request_id, traceparent)
            SELECT type, account_id, subject_id, actor_id, data, service_key, $8, $10 FROM given ORDER BY number
            RETURNING id, type, account_id, subject_id
        )
        INSERT INTO account_events (account_id, event_id)
        SELECT account_id, id FROM appended WHERE account_id IS NOT NULL AND type <> ALL ($11)
        UNION
        SELECT staff.account_id, appended.id
        FROM appended JOIN staff ON staff.user_id = appended.subject_id AND invited_at IS NULL
        WHERE appended.type = ANY ($9) OR appended.account_id IS NULL AND appended.type <> ALL ($7)
        """,
        [row.type for row in rows],
        [row.account_id for row in rows],
        [row.subject_id for row in rows],
        [row.actor_id for row in rows],
        [_data(event, row) for event, row in zip(events, rows, strict=True)],
        [row.service_key for row in rows],
        SHOWN_WHEN_DISPATCHED,
        request.request_id if request else None,
        SHOWN_EVERYWHERE,
        traces.traceparent(),
        SHOWN_NOWHERE,
    )


def told(event: Event) -> tuple[dict[str, Any], str | None, str | None]:
    """What is kept of an event beside whom it concerns: its facts, and the request and the trace it was made in.

    For a statement that appends the like of many at once.
    """
    request = requests.current()
    return _data(event, Stored.of(event)), request.request_id if request else None, traces.traceparent()


async def _count(connection: Connection, events: Sequence[Event]) -> None:
    counted = {key: most for event in events for key, most in event.limited_by().items()}
    for most in sorted(set(counted.values())):
        await db.often.charge(connection, [key for key, its in counted.items() if its == most], most, SPAN)


async def _bounded(connection: Connection, events: Sequence[Event]) -> Sequence[Event]:
    """The same events, of which those are not mailed that somebody was mailed of so often this hour already."""
    keys = {event.counted_by() for event in events if isinstance(event, Repeatable)}
    if not keys:
        return events
    mailed = await db.often.count(connection, keys, OWN_ACTS_MAILED, OWN_ACT_SPAN)
    return [
        replace(event, is_mailed=event.counted_by() in mailed) if isinstance(event, Repeatable) else event
        for event in events
    ]


def _data(event: Event, row: Stored) -> dict[str, Any]:
    request, operator = requests.current(), operators.current()
    by_whom = {OPERATOR: operator} if operator else {}
    return _origin(event, request.origin if request else {}) | row.data | by_whom


def _origin(event: Event, origin: dict[str, str]) -> dict[str, str]:
    """What the request tells of where the event came from; an event that names a client knows that better."""
    if not event.names_client():
        return origin
    return {name: fact for name, fact in origin.items() if name == SESSION_METHOD}


def stored_from(row: asyncpg.Record) -> Stored:
    """The event of a row that has all its columns."""
    return Stored(**{each.name: row[each.name] for each in fields(Stored)})
