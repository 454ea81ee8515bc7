"""The invited come: by a link that sets a password, or by a provider that has verified their address.

To be accepted in the order of locks: the accounts first, then the person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import db.invitations
import db.outbox
import resolvers.joining
from db.pool import Connection
from rules.events.staff import StaffAdded
from rules.links import INVITATION


@dataclass(frozen=True)
class Offered:
    """A membership that is offered to somebody, and when it was."""

    staff_id: UUID
    invited_at: datetime


async def open_to(connection: Connection, user_id: UUID) -> list[Offered]:
    """What begins once somebody who has no password yet, and is staff nowhere, has shown that the mailbox is theirs."""
    standings = await db.invitations.open_to(connection, user_id, INVITATION.lifetime)
    return [Offered(standing.staff_id, standing.invited_at) for standing in standings if standing.invited_at]


async def keep_accounts(connection: Connection, offered: list[Offered]) -> None:
    """Keep the policies of these accounts as they are until the transaction ends."""
    for each in offered:
        await db.invitations.keep_account(connection, each.staff_id)


async def accept(connection: Connection, user_id: UUID, offered: Offered) -> bool:
    """The invited person has come, with the event, under both locks; false when it was taken back or replaced."""
    accepted = await db.invitations.accept(connection, offered.staff_id, offered.invited_at)
    if accepted is None:
        return False
    added = StaffAdded(account_id=accepted.account_id, subject_id=user_id, actor_id=user_id, role=accepted.role)
    await db.outbox.append(connection, added)
    await resolvers.joining.tell_joined(connection, accepted.account_id, [user_id])
    return True
