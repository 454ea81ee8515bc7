"""Account recoveries that wait: one row each, which whatever ends it deletes, once; and how long accounts let wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.pool import Connection
from rules.account_recovery import GIVEN_UP_AFTER, TOLD_EVERY, TOLD_LATELY, Delays

AT_ONCE = 100


@dataclass(frozen=True)
class Waiting:
    """Whose account recovery waits, since when and until when."""

    user_id: UUID
    email: str
    started_at: datetime
    ends_at: datetime


async def delays(connection: Connection, account_id: UUID) -> Delays | None:
    """How long the account lets wait; None when it does not allow it."""
    row = await connection.fetchrow(
        "SELECT owner_days, admin_days, member_days FROM account_recovery_policies WHERE account_id = $1", account_id
    )
    return Delays(**row) if row else None


async def allow(connection: Connection, account_id: UUID, wanted: Delays) -> None:
    """Let the account's staff come back alone after so many days. Who waits already waits no shorter."""
    await connection.execute(
        """
        INSERT INTO account_recovery_policies (account_id, owner_days, admin_days, member_days)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (account_id) DO UPDATE SET owner_days = $2, admin_days = $3, member_days = $4
        """,
        account_id,
        wanted.owner_days,
        wanted.admin_days,
        wanted.member_days,
    )


async def forbid(connection: Connection, account_id: UUID) -> None:
    """Let nobody of the account come back alone any more, whoever waits included."""
    await connection.execute("DELETE FROM account_recovery_policies WHERE account_id = $1", account_id)


async def days_of(connection: Connection, user_id: UUID) -> int | None:
    """How many days the person would wait; None when they cannot come back alone."""
    days: int | None = await connection.fetchval("SELECT account_recovery_days($1)", user_id)
    return days


async def start(connection: Connection, user_id: UUID, asked_at: datetime) -> Waiting | None:
    """Let it wait, under the person's lock; None when one waits already, or the person cannot come back alone (now).

    Who set another password since it was asked for begins anew: whoever asked may not know it.
    """
    row = await connection.fetchrow(
        """
        INSERT INTO account_recoveries (user_id, email, password_set_at, ends_at)
        SELECT users.id, email, password_set_at, now() + make_interval(hours => 24 * days)
        FROM users JOIN factors ON factors.user_id = users.id, account_recovery_days(users.id) AS days
        WHERE users.id = $1 AND days IS NOT NULL AND coalesce(password_set_at < $2, true)
        ON CONFLICT (user_id) DO NOTHING
        RETURNING user_id, email, started_at, ends_at
        """,
        user_id,
        asked_at,
    )
    return Waiting(**row) if row else None


async def of_user(connection: Connection, user_id: UUID) -> Waiting | None:
    """What waits for the person, and holds."""
    row = await connection.fetchrow(
        """
        SELECT user_id, email, started_at, account_recovery_due_at(account_recoveries) AS ends_at
        FROM account_recoveries WHERE user_id = $1 AND account_recovery_due_at(account_recoveries) IS NOT NULL
        """,
        user_id,
    )
    return Waiting(**row) if row else None


async def stop(connection: Connection, user_id: UUID) -> bool:
    """End what waits for the person; false when there is nothing, or something else has ended it."""
    status = await connection.execute("DELETE FROM account_recoveries WHERE user_id = $1", user_id)
    return status == "DELETE 1"


async def stop_told(connection: Connection, event_id: int) -> UUID | None:
    """End what this event told of; whose it was, None when something else has ended it."""
    user_id: UUID | None = await connection.fetchval(
        """
        DELETE FROM account_recoveries USING events
        WHERE events.id = $1 AND user_id = subject_id AND started_at <= occurred_at
        RETURNING user_id
        """,
        event_id,
    )
    return user_id


@dataclass(frozen=True)
class Lapsed:
    """Whose account recovery was ended, and whether it held, but no mail could tell the person of it."""

    user_id: UUID
    was_unreached: bool


async def lapse(connection: Connection, user_id: UUID | None = None) -> list[Lapsed]:
    """End those that hold no more, or this person's, but for what somebody else is about to end; whose they were.

    So are those that were over long ago and of which no mail has left, nor has one in the day since the person was to
    be told again: none reaches them. Whom nobody has tried to tell of late, as after an outage, is told again first.
    """
    rows = await connection.fetch(
        """
        DELETE FROM account_recoveries WHERE user_id IN (
            SELECT user_id FROM account_recoveries AS waiting
            WHERE ($1::uuid IS NULL OR user_id = $1) AND (account_recovery_due_at(waiting) IS NULL
                OR account_recovery_due_at(waiting) <= now() - $2::interval
                    AND told_at <= now() - $4::interval AND told_at > now() - $3::interval
                    AND NOT coalesce(account_recovery_mailed_at(waiting) > now() - $3::interval, false))
            FOR UPDATE SKIP LOCKED
        )
        RETURNING user_id, account_recovery_due_at(account_recoveries) IS NOT NULL AS was_unreached
        """,
        user_id,
        GIVEN_UP_AFTER,
        TOLD_LATELY,
        TOLD_EVERY,
    )
    return [Lapsed(**row) for row in rows]


async def of_account(connection: Connection, account_id: UUID) -> list[Waiting]:
    """What waits for staff of the account, and holds, what ends first before the others."""
    rows = await connection.fetch(
        """
        SELECT user_id, email, started_at, here.ends_at
        FROM account_recoveries_of($1) AS here JOIN account_recoveries USING (user_id) ORDER BY here.ends_at, user_id
        """,
        account_id,
    )
    return [Waiting(**row) for row in rows]


@dataclass(frozen=True)
class Reminded:
    """Who is told again, with the owners of which accounts, and until when it waits."""

    user_id: UUID
    email: str
    ends_at: datetime
    account_ids: list[UUID]


async def remind(connection: Connection) -> list[Reminded]:
    """Those whose people are to be told again, as each day; they count as told.

    Whose wait is over is told as well if no mail has reached them of late, as after an outage or from a backup: theirs
    ends a day after one does. If one has reached them, its date holds, and they are told no other. What somebody is
    about to end is left out.
    """
    rows = await connection.fetch(
        """
        UPDATE account_recoveries SET told_at = now() WHERE user_id IN (
            SELECT user_id FROM account_recoveries AS waiting
            WHERE told_at <= now() - $1::interval AND account_recovery_due_at(waiting) IS NOT NULL
                AND NOT (account_recovery_due_at(waiting) <= now()
                    AND coalesce(account_recovery_mailed_at(waiting) > now() - $2::interval, false))
            FOR NO KEY UPDATE SKIP LOCKED
        )
        RETURNING user_id, email,
            greatest(account_recovery_due_at(account_recoveries), now() + $1::interval) AS ends_at,
            ARRAY(SELECT account_id FROM staff WHERE staff.user_id = account_recoveries.user_id AND invited_at IS NULL
                ORDER BY account_id) AS account_ids
        """,
        TOLD_EVERY,
        TOLD_LATELY,
    )
    return [Reminded(**row) for row in rows]


async def due(connection: Connection) -> list[UUID]:
    """Whose is over, up to a hundred of them: those alone whom the last mail that left has told of it a day ago."""
    rows = await connection.fetch(
        """
        SELECT user_id FROM account_recoveries
        WHERE account_recovery_due_at(account_recoveries) <= now()
            AND account_recovery_mailed_at(account_recoveries) <= now() - $2::interval
            AND account_recovery_mailed_at(account_recoveries) > now() - $3::interval
        ORDER BY ends_at LIMIT $1
        """,
        AT_ONCE,
        TOLD_EVERY,
        TOLD_LATELY,
    )
    return [row["user_id"] for row in rows]


async def take(connection: Connection, user_id: UUID) -> bool:
    """End what is over, to be carried out; false when something else was first: the database lets one win."""
    status = await connection.execute(
        "DELETE FROM account_recoveries WHERE user_id = $1 AND account_recovery_due_at(account_recoveries) <= now()",
        user_id,
    )
    return status == "DELETE 1"
