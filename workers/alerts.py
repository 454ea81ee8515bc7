"""Alerts: from what has happened to what an account's owners and admins are told of it."""

from __future__ import annotations

import db.alerts
import db.outbox
from db.dispatching import Undispatched
from db.pool import Connection, Database
from rules.alerts import AlertKind, AlertSetting
from rules.events.alerts import AlertRaised
from rules.events.base import Event
from rules.events.mailing import Audience
from workers.wording import LONGEST_NAME, clean

LONGEST_SENTENCE = 6 * LONGEST_NAME


async def raise_alerts(connection: Connection, undispatched: Undispatched, event: Event) -> bool:
    """Tell those whose turn it is, and keep it for the others, in the transaction that dispatches the event.

    Whether anybody is told.
    """
    kind = event.alerted_as()
    if kind is None:
        return False
    mailing = event.emailed_as()
    actor, subject = await db.alerts.names(connection, event.actor_id, event.subject_id)
    told = clean(undispatched.stored.alert_summary(actor, subject), LONGEST_SENTENCE)
    recipients = await db.alerts.take_turns(
        connection,
        undispatched.id,
        AlertSetting(kind),
        told,
        mailed=event.subject_id if mailing is not None and mailing.audience is Audience.SUBJECT else None,
        owners_are_mailed=mailing is not None and mailing.audience is Audience.OWNERS,
    )
    raised = [
        AlertRaised(account_id=each.account_id, subject_id=each.user_id, kind=kind, count=1, told=(told,))
        for each in recipients
    ]
    if raised:
        await db.outbox.append_all(connection, raised)
    return bool(raised)


async def tell_gathered(database: Database) -> int:
    """Tell of what was gathered for those whose hour is over; return to how many."""
    usual = [AlertSetting(kind) for kind in AlertKind]
    told = 0
    while True:
        async with database.connection() as connection, connection.transaction():
            gathered = await db.alerts.take_gathered(connection, usual)
            raised = [
                AlertRaised(
                    account_id=each.account_id,
                    subject_id=each.user_id,
                    kind=each.kind,
                    count=each.count,
                    told=tuple(each.told),
                    is_gathered=True,
                )
                for each in gathered
                if each.is_wanted
            ]
            if raised:
                await db.outbox.append_all(connection, raised)
        if raised:
            database.bell.ring()
        told += len(raised)
        if len(gathered) < db.alerts.AT_ONCE:
            return told
