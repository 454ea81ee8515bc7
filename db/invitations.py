"""Invitations: a membership that holds once the person has come. Written under the person's lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from db.pool import Connection
from rules.people import Role


@dataclass(frozen=True)
class Standing:
    """How a person stands in an account, as of `now`; `invited_at` is None once they have come."""

    now: datetime
    staff_id: UUID
    user_id: UUID
    role: Role
    invited_at: datetime | None


async def add_person(connection: Connection, email: str) -> None:
    """Let there be a person with `email`; a new one has no password."""
    await connection.execute("INSERT INTO users (email) VALUES ($1) ON CONFLICT (email) DO NOTHING", email)


async def standing(connection: Connection, account_id: UUID, user_id: UUID) -> Standing | None:
    """How the person stands in the account; None when nothing is there."""
    row = await connection.fetchrow(
        """
        SELECT now(), id AS staff_id, user_id, role, invited_at FROM staff
        WHERE account_id = $1 AND user_id = $2 FOR NO KEY UPDATE
        """,
        account_id,
        user_id,
    )
    return _standing(row) if row else None


async def standing_of(connection: Connection, account_id: UUID, staff_id: UUID) -> Standing | None:
    """The same, by the membership's id; without a lock."""
    row = await connection.fetchrow(
        "SELECT now(), id AS staff_id, user_id, role, invited_at FROM staff WHERE account_id = $1 AND id = $2",
        account_id,
        staff_id,
    )
    return _standing(row) if row else None


async def open_invitation(
    connection: Connection, account_id: UUID, user_id: UUID, role: Role, inviter_id: UUID | None = None
) -> bool:
    """Invite, or invite anew: from now on the link of this transaction's event alone holds.

    As long as the inviter might still invite so, unless that is an operator. False when the person has come.
    """
    return bool(
        await connection.fetchval(
            """
            INSERT INTO staff (account_id, user_id, email, role, invited_at, invited_by)
            SELECT $1, id, email, $3, now(), $4 FROM users WHERE id = $2
            ON CONFLICT (account_id, user_id) DO UPDATE
            SET role = excluded.role, invited_at = excluded.invited_at, invited_by = excluded.invited_by
            WHERE staff.invited_at IS NOT NULL
            RETURNING true
            """,
            account_id,
            user_id,
            role,
            inviter_id,
        )
    )


async def revoke(connection: Connection, staff_id: UUID) -> bool:
    """Take an invitation back; false when there is none, or the person has come."""
    status = await connection.execute("DELETE FROM staff WHERE id = $1 AND invited_at IS NOT NULL", staff_id)
    return status == "DELETE 1"


async def revoke_since(
    connection: Connection, inviter_ids: Sequence[UUID], event_id: int = 0
) -> list[tuple[UUID, UUID]]:
    """Take back what these people have invited to after this event, or ever; to which account, and whom.

    Whoever accepts at this moment has come: of the two the database lets one happen.
    """
    rows = await connection.fetch(
        """
        DELETE FROM staff USING events
        WHERE actor_id = ANY ($1) AND actor_id IS DISTINCT FROM subject_id AND events.id > $2 AND type = 'STAFF_INVITED'
            AND staff.account_id = events.account_id AND staff.user_id = subject_id AND invited_at = occurred_at
        RETURNING staff.account_id, staff.user_id
        """,
        inviter_ids,
        event_id,
    )
    return [(row["account_id"], row["user_id"]) for row in rows]


@dataclass(frozen=True)
class Accepted:
    """A membership that has begun to hold."""

    account_id: UUID
    role: Role


async def keep_account(connection: Connection, staff_id: UUID) -> None:
    """Keep the policy of the account that somebody is invited to as it is until the transaction ends."""
    await connection.execute(
        "SELECT FROM accounts WHERE id = (SELECT account_id FROM staff WHERE staff.id = $1) FOR SHARE", staff_id
    )


async def open_to(connection: Connection, user_id: UUID, lifetime: timedelta) -> list[Standing]:
    """The invitations that still hold, to somebody who has no password and is staff nowhere.

    In the order in which accounts are locked.
    """
    rows = await connection.fetch(
        """
        SELECT now(), id AS staff_id, user_id, role, invited_at FROM staff
        WHERE user_id = $1 AND invited_at > now() - $2::interval AND inviter_may_invite(staff)
            AND EXISTS (SELECT FROM users WHERE id = $1 AND password_hash IS NULL)
            AND NOT EXISTS (SELECT FROM staff AS held WHERE held.user_id = $1 AND held.invited_at IS NULL)
        ORDER BY account_id
        """,
        user_id,
        lifetime,
    )
    return [_standing(row) for row in rows]


async def accept(connection: Connection, staff_id: UUID, invited_at: datetime) -> Accepted | None:
    """Let the membership hold from now on; None when this invitation was taken back or replaced, or holds no more."""
    row = await connection.fetchrow(
        """
        UPDATE staff SET invited_at = NULL, invited_by = NULL, created_at = now()
        WHERE id = $1 AND invited_at = $2 AND inviter_may_invite(staff) RETURNING account_id, role
        """,
        staff_id,
        invited_at,
    )
    return Accepted(row["account_id"], Role(row["role"])) if row else None


def _standing(row: asyncpg.Record) -> Standing:
    return Standing(row["now"], row["staff_id"], row["user_id"], Role(row["role"]), row["invited_at"])
