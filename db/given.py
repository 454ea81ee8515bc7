"""What somebody gave or asked for as an owner or admin, taken back once it may have been another in their name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import db.invitations
import db.outbox
import db.recovery
import db.resets
import db.sessions
from db.pool import Connection
from rules.clients import NO_CLIENT, Client
from rules.events.staff import InvitationRevoked


async def lock(
    connection: Connection, user_ids: Sequence[UUID], beside: Sequence[UUID] = (), *, with_invited: bool = False
) -> None:
    """Lock whoever may have given something, whoever is to be locked `beside`, and those who have something by it.

    As db.users.lock_all does, in one order: everybody's sessions end behind their own lock. With those invited, who may
    be thousands, only where invitations are to be revoked.
    """
    await connection.execute(
        """
        SELECT FROM users
        WHERE id = ANY ($1 || $2::uuid[] || ARRAY(SELECT user_id FROM sessions WHERE pass_issuer = ANY ($1)
            UNION ALL SELECT user_id FROM recovery_passes WHERE issuer_id = ANY ($1)
            UNION ALL SELECT user_id FROM staff WHERE $3 AND invited_by = ANY ($1)))
        ORDER BY id FOR NO KEY UPDATE
        """,
        user_ids,
        beside,
        with_invited,
    )


async def take_back(
    connection: Connection,
    user_id: UUID,
    actor_id: UUID | None,
    client: Client = NO_CLIENT,
    *,
    since: datetime | None = None,
) -> None:
    """End the recovery passes that the person gave, what those have begun, and the resets asked for, ever or since.

    Under the locks of `lock`. `actor_id` has declined the resets, an operator if None.
    """
    await take_back_all(connection, [user_id], actor_id, client, since=since)


async def take_back_all(
    connection: Connection,
    user_ids: Sequence[UUID],
    actor_id: UUID | None,
    client: Client = NO_CLIENT,
    *,
    since: datetime | None = None,
) -> None:
    """The same of many people."""
    await db.recovery.take_back(connection, user_ids, since)
    # In this order: a pass that is used just now has begun its session by the time that it is found to hold no more.
    await db.recovery.end_begun_by(connection, user_ids, since)
    await db.resets.tell(connection, await db.resets.end_asked_by(connection, user_ids, since), actor_id, client)


async def revoke_invitations(connection: Connection, user_id: UUID, event_id: int) -> None:
    """Take back whom the person has invited since this event, and who has not come yet. Under their locks, too."""
    await _revoked(connection, await db.invitations.revoke_since(connection, [user_id], event_id), user_id)


async def revoke_all_invitations(connection: Connection, user_ids: Sequence[UUID]) -> None:
    """The same of whomever these people have invited, ever, by an operator."""
    await _revoked(connection, await db.invitations.revoke_since(connection, user_ids), None)


async def _revoked(connection: Connection, revoked: list[tuple[UUID, UUID]], actor_id: UUID | None) -> None:
    await db.sessions.end_of_uninvited(connection, [invited for _, invited in revoked])
    await db.outbox.append_all(
        connection,
        [InvitationRevoked(account_id=each, subject_id=invited, actor_id=actor_id) for each, invited in revoked],
    )
