"""Alerts: from what has happened to what an account's owners and admins are told of it."""

from __future__ import annotations

import db.alerts
import db.outbox
from db.alerts import Heard
from db.deliveries import Claimed
from db.dispatching import Undispatched
from db.pool import Connection, Database
from rules.alerts import MOST_LISTED, AlertKind, AlertSetting
from rules.events.alerts import AlertRaised
from rules.events.base import Event
from rules.events.mailing import Audience
from rules.events.stored import UnreadableEventError
from workers.runtime import Runtime
from workers.telling import LONGEST_SENTENCE
from workers.verdicts import OvertakenError
from workers.wording import clean


async def raise_alerts(connection: Connection, undispatched: Undispatched, event: Event) -> bool:
    """Tell those whose turn it is, and keep it for the others, in the transaction that dispatches the event.

    Whether anybody is told.
    """
    kind = event.alerted_as()
    if kind is None:
        return False
    mailing = event.emailed_as()
    is_told_otherwise = not event.alerts_subject or (mailing is not None and mailing.audience is Audience.SUBJECT)
    actor, subject = await db.alerts.names(connection, event.actor_id, event.subject_id)
    told = clean(undispatched.stored.alert_summary(actor, subject), LONGEST_SENTENCE)
    recipients = await db.alerts.take_turns(
        connection,
        undispatched.id,
        AlertSetting(kind),
        told,
        but=event.subject_id if is_told_otherwise else None,
        owners_are_mailed=event.owners_are_mailed(),
    )
    raised = [
        AlertRaised(
            account_id=each.account_id,
            subject_id=each.user_id,
            kind=kind,
            count=1,
            told=(told,),
            event_ids=(undispatched.id,),
        )
        for each in recipients
    ]
    if raised:
        await db.outbox.append_all(connection, raised)
    return bool(raised)


def heard_of(runtime: Runtime, delivery: Claimed, patience_s: float) -> tuple[Heard, ...]:
    """What an alert tells of. Raises OvertakenError when whoever gets it looks after none of its accounts any more."""
    if delivery.stored.type != AlertRaised.type():
        return ()
    try:
        event = delivery.stored.read()
    except UnreadableEventError:
        return ()  # whoever makes the mail of it says so
    assert isinstance(event, AlertRaised)
    event_ids = (*event.event_ids, *event.earlier_ids)
    heard = runtime.query(db.alerts.heard, event.subject_id, event_ids, patience_s=patience_s)
    if event_ids and not heard:
        raise OvertakenError
    return tuple(heard)


async def tell_gathered(database: Database) -> int:
    """Tell of what was gathered for those whose hour is over; return to how many."""
    usual = [AlertSetting(kind) for kind in AlertKind]
    told = 0
    while True:
        async with database.connection() as connection, connection.transaction():
            gathered, may_be_more = await db.alerts.take_gathered(connection, usual)
            raised = [
                AlertRaised(
                    account_id=each.account_id,
                    subject_id=each.user_id,
                    kind=each.kind,
                    count=each.count,
                    told=tuple(each.told),
                    is_gathered=True,
                    event_ids=tuple(each.event_ids[:MOST_LISTED]),
                    earlier_ids=tuple(each.event_ids[MOST_LISTED:]),
                )
                for each in gathered
            ]
            if raised:
                await db.outbox.append_all(connection, raised)
        if raised:
            database.bell.ring()
        told += len(raised)
        if not may_be_more:
            return told
