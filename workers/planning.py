"""From an event to its deliveries: once, whatever crashes between any two lines."""

from __future__ import annotations

import logging

from db import events
from db.events import Event
from db.pool import Connection, Database
from workers.catalogue import Audience, Mailing, UnknownEventError, mailing_for
from workers.emails import Facts, render

log = logging.getLogger("gatehouse.planning")


async def plan(database: Database, event_id: int) -> list[str]:
    """Write the deliveries of an event; return the queues that have something new."""
    async with database.connection() as connection:
        if not await events.begin(connection, event_id):
            return []
    queues: set[str] = set()
    while True:
        async with database.connection() as connection, connection.transaction():
            event = await events.lock_undispatched(connection, event_id)
            if event is None:
                return sorted(queues)
            mailing = await _mailing(connection, event)
            if mailing is None:
                return sorted(queues)
            queues.add(mailing.queue)
            if mailing.audience is Audience.SUBJECT:
                await events.deliver_to_person(connection, event, mailing.message, mailing.queue)
                return sorted(queues)
            if await events.deliver_to_staff(connection, event, mailing.message, mailing.queue):
                return sorted(queues)


async def _mailing(connection: Connection, event: Event) -> Mailing | None:
    """What to write; None when the event is dispatched or set aside by this."""
    try:
        mailing = mailing_for(event)
        if mailing is not None:
            _try_out(event, mailing)
    except UnknownEventError as error:
        await _set_aside(connection, event, str(error))
        return None
    except Exception as error:  # whatever is broken in it, those behind it must go on
        await _set_aside(connection, event, f"Its facts make no {event.type} email: {type(error).__name__}.")
        return None
    if mailing is None:
        await events.mark_dispatched(connection, event.id)
    return mailing


def _try_out(event: Event, mailing: Mailing) -> None:
    # A broken event is found here, once, rather than by each of its deliveries.
    render(
        mailing.message,
        Facts(
            event_type=event.type,
            occurred_at=event.occurred_at,
            data=event.data,
            account_name=event.account_name,
            recipient="nobody@gatehouse.invalid",
            delivery_id=0,
            public_url="https://gatehouse.invalid",
            sender="nobody@gatehouse.invalid",
        ),
    )


async def _set_aside(connection: Connection, event: Event, failure: str) -> None:
    await events.set_aside(connection, event.id, failure)
    log.error("Event %s is set aside: %s", event.id, failure)
