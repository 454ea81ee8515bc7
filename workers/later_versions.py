"""What a later version's part has asked for while parts are replaced one by one: left for a worker that knows it."""

from __future__ import annotations

import db.dispatching
import workers.emails
from db.deliveries import Claimed
from db.pool import Database
from rules.events.catalogue import BY_TYPE
from rules.events.mailing import While
from rules.events.stored import Stored, UnreadableEventError
from workers.verdicts import LeftError

KNOWN_CONDITIONS = frozenset[str](While)


def require_known(delivery: Claimed) -> None:
    """Raise LeftError for an email that this version cannot make, or cannot tell whether it still holds."""
    if delivery.stored.type not in BY_TYPE:
        raise LeftError(f"Its event's type is unknown: {delivery.stored.type[:60]!r}.")
    if not workers.emails.knows(delivery.message):
        raise LeftError(f"Its message is unknown: {delivery.message[:60]!r}.")
    if delivery.holds_while is not None and delivery.holds_while not in KNOWN_CONDITIONS:
        raise LeftError(f"It is not known whether it holds: {delivery.holds_while[:60]!r}.")


async def revive_known(database: Database) -> int:
    """Hand over again what other versions' workers have set aside and this one can read; return how many events."""
    revived, after = 0, 0
    while True:
        async with database.connection() as connection:
            found = await db.dispatching.unreadable(connection, [*BY_TYPE], after)
            known = [event_id for event_id, stored in found if _is_readable(stored)]
            if known:
                await db.dispatching.revive(connection, known)
        revived += len(known)
        if len(found) < db.dispatching.LOOKED_AT_ONCE:
            break
        after = found[-1][0]
    if revived:
        database.bell.ring()
    return revived


def _is_readable(stored: Stored) -> bool:
    try:
        stored.read()
    except UnreadableEventError:
        return False
    return True
