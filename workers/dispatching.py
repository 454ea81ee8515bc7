"""From an event to its deliveries: once, whatever crashes between any two lines."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import db.dispatching
import db.fan_out
from db.dispatching import Undispatched
from db.fan_out import Terms
from db.pool import Connection, Database
from rules.events.base import Event
from rules.events.mailing import SECURITY, Audience, Mailing
from rules.events.policy import Requirement
from rules.events.stored import LaterEventError, UnreadableEventError
from rules.failures import ServiceUnavailable
from telemetry import traces
from workers.alerts import raise_alerts

log = logging.getLogger("gatehouse.dispatching")


@dataclass(frozen=True)
class Step:
    """What one step has come to: the queue that has something new, if any, and whether there is more to write."""

    queue: str | None = None
    is_unfinished: bool = False
    # Whether other events follow from it, for the relay to hand over.
    has_more_events: bool = False


class Dispatcher:
    """What dispatches the events of one process.

    An attempt counts when the process dies of it, or when it fails by itself rather than for the database's sake.
    """

    def __init__(self) -> None:
        self._owed: set[int] = set()
        self._under_way: set[int] = set()

    async def dispatch(self, database: Database, event_id: int) -> Step:
        """Write the deliveries of an event; of one for a whole account, the next 10,000.

        A step is short, so that an event for 100,000 people holds up nobody's security mail.
        """
        if event_id in self._under_way:
            return Step()  # a message that came twice is no attempt of its own
        self._under_way.add(event_id)
        try:
            return await self._attempt(database, event_id)
        finally:
            self._under_way.discard(event_id)

    async def _attempt(self, database: Database, event_id: int) -> Step:
        async with database.connection() as connection:
            await self._give_back(connection)
            if not await db.dispatching.begin(connection, event_id):
                return Step()
        try:
            async with database.connection() as connection, connection.transaction():
                event = await db.dispatching.lock_undispatched(connection, event_id)
                if event is None:
                    return Step()
                known = {"event_id": event.id, "request_id": event.request_id}
                with traces.span(f"dispatch {event.stored.type}", "CONSUMER", event.traceparent, **known):
                    step = await _dispatch(connection, event)
        except (ServiceUnavailable, CancelledError):
            # The database's fault, or an end before its time: it is no crash. Now, or when the database is well again.
            self._owed.add(event_id)
            with suppress(ServiceUnavailable):
                async with database.connection() as connection:
                    await self._give_back(connection)
            raise
        if step.has_more_events:
            database.bell.ring()
        return step

    async def _give_back(self, connection: Connection) -> None:
        if owed := list(self._owed):
            await db.dispatching.give_back(connection, owed)
            self._owed.difference_update(owed)


async def _dispatch(connection: Connection, waiting: Undispatched) -> Step:
    try:
        event = waiting.stored.read()
    except LaterEventError as error:
        return await _leave(connection, waiting, str(error))
    except UnreadableEventError as error:
        # Whatever is broken in it, those behind it must go on.
        await db.dispatching.set_aside(connection, waiting.id, str(error))
        log.error("Event %s is set aside: %s", waiting.id, error)
        return Step(SECURITY)  # later mails of the person have waited for it
    # Of a fan-out the first step alone raises them.
    has_alerted = waiting.fanned_out_to is None and await raise_alerts(connection, waiting, event)
    return replace(await _mail(connection, waiting, event), has_more_events=has_alerted)


async def _leave(connection: Connection, waiting: Undispatched, why: str) -> Step:
    came_to = await db.dispatching.leave(connection, waiting.id, why)
    if came_to == db.dispatching.LEFT:
        return Step()
    if came_to == db.dispatching.NEW:
        log.warning("Event %s waits for a worker of a later version: %s", waiting.id, why)
    else:
        log.error("Event %s is set aside, since no worker has known it for a day: %s", waiting.id, why)
    return Step(SECURITY)  # later mails of the person have waited for it


async def _mail(connection: Connection, waiting: Undispatched, event: Event) -> Step:
    mailing = event.emailed_as()
    known = {"event_id": waiting.id, "type": waiting.stored.type, "request_id": waiting.request_id}
    log.info("Event dispatched", extra=known)
    if mailing is None:
        await db.dispatching.mark_dispatched(connection, waiting.id)
        return Step()
    terms = _terms(event, mailing, waiting.occurred_at)
    if mailing.audience in {Audience.OWNERS, Audience.MANAGERS}:
        chosen_as = mailing.chosen_as or event.alerted_as()
        await db.fan_out.to_owners(
            connection,
            waiting,
            terms,
            chosen_as,
            with_admins=mailing.audience is Audience.MANAGERS,
            but=event.subject_id if mailing is event.copy else None,
            admins_stand_in=mailing.admins_stand_in,
        )
        return Step(terms.queue)
    if event.copy is not None and event.copy.audience is Audience.OWNERS:
        copied = _terms(event, event.copy, waiting.occurred_at)
        requester_id, subject_id = event.requested_by(), event.subject_id
        await db.fan_out.to_owners(
            connection,
            waiting,
            copied,
            requester_id=requester_id,
            but=subject_id,
            admins_stand_in=event.copy.admins_stand_in,
        )
    elif event.copy is not None and (address := event.copied_to()) is not None:
        await db.fan_out.to_person(connection, waiting, _terms(event, event.copy, waiting.occurred_at), address)
    if mailing.audience is Audience.SUBJECT or event.subject_id is not None:
        await db.fan_out.to_person(connection, waiting, terms)
        return Step(terms.queue)
    dispatched = await db.fan_out.to_staff(connection, waiting, terms)
    return Step(terms.queue, is_unfinished=not dispatched)


def _terms(event: Event, mailing: Mailing, occurred_at: datetime) -> Terms:
    if not isinstance(event, Requirement):
        expires_at = occurred_at + mailing.link.lifetime if mailing.link else None
        return Terms(
            mailing.message, mailing.queue, mailing.resends, expires_at=expires_at, holds_while=mailing.holds_while
        )
    return Terms(
        mailing.message,
        mailing.queue,
        mailing.resends,
        required_since=event.required_since,
        deadline=event.deadline if mailing.is_tied_to_deadline else None,
        expires_at=None if mailing.is_of_use_after_deadline else event.deadline,
    )
