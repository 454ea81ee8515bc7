"""From an event to its deliveries: once, whatever crashes between any two lines."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from db import events
from db.events import Event, Terms
from db.pool import Connection, Database
from workers.catalogue import BrokenEventError, is_for_subject, mailing_for, terms_for
from workers.emails import Facts, render

NOBODY = "nobody@gatehouse.example"

log = logging.getLogger("gatehouse.planning")


@dataclass(frozen=True)
class Planned:
    """What one step has come to: the queue that has something new, if any, and whether there is more to plan."""

    queue: str | None = None
    is_unfinished: bool = False


async def plan(database: Database, event_id: int) -> Planned:
    """Write the deliveries of an event; of one for a whole account, the next 10,000.

    A step is short, so that planning for 100,000 people holds up nobody's security mail.
    """
    async with database.connection() as connection:
        if not await events.begin(connection, event_id):
            return Planned()
    async with database.connection() as connection, connection.transaction():
        event = await events.lock_undispatched(connection, event_id)
        return await _plan(connection, event) if event is not None else Planned()


async def _plan(connection: Connection, event: Event) -> Planned:
    try:
        made_out = _make_out(event)
    except BrokenEventError as error:
        await events.set_aside(connection, event.id, str(error))
        log.error("Event %s is set aside: %s", event.id, error)
        return Planned()
    if made_out is None:
        await events.mark_dispatched(connection, event.id)
        return Planned()
    for_subject, terms = made_out
    if for_subject:
        await events.deliver_to_person(connection, event, terms)
        return Planned(terms.queue)
    dispatched = await events.deliver_to_staff(connection, event, terms)
    return Planned(terms.queue, is_unfinished=not dispatched)


def _make_out(event: Event) -> tuple[bool, Terms] | None:
    """Whether it goes to its subject alone, and its terms; None when it is not emailed. Raises BrokenEventError."""
    try:
        mailing = mailing_for(event)
        if mailing is None:
            return None
        made_out = is_for_subject(event, mailing), terms_for(event, mailing)
        _try_out(event, mailing.message)
    except BrokenEventError:
        raise
    except Exception as error:  # whatever is broken in it, those behind it must go on
        raise BrokenEventError(f"The facts of {event.type} make no email: {type(error).__name__}.") from error
    return made_out


def _try_out(event: Event, message: str) -> None:
    # A broken event is found here, once, rather than by each of its deliveries.
    facts = Facts(
        event_type=event.type,
        occurred_at=event.occurred_at,
        data=event.data,
        account_name=event.account_name,
        recipient=NOBODY,
        delivery_id=0,
        public_url="https://gatehouse.example",
        sender=NOBODY,
    )
    render(message, facts)
