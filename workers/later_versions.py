"""What a later version's part has asked for while parts are replaced one by one: left for a worker that knows it."""

from __future__ import annotations

import workers.emails
from db.deliveries import Claimed
from rules.events.catalogue import BY_TYPE
from rules.events.mailing import While
from workers.verdicts import DeferredError

KNOWN_CONDITIONS = frozenset[str](While)


def require_known(delivery: Claimed) -> None:
    """Raise DeferredError for an email that this version cannot make, or cannot tell whether it still holds."""
    if delivery.stored.type not in BY_TYPE:
        raise DeferredError(f"Its event's type is unknown: {delivery.stored.type[:60]!r}.")
    if not workers.emails.knows(delivery.message):
        raise DeferredError(f"Its message is unknown: {delivery.message[:60]!r}.")
    if delivery.holds_while is not None and delivery.holds_while not in KNOWN_CONDITIONS:
        raise DeferredError(f"It is not known whether it holds: {delivery.holds_while[:60]!r}.")
