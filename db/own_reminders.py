"""Members with a deadline of their own, by an exception or for joining later: whom to remind of it, once each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from db.pool import Connection

AT_ONCE = 2_000


@dataclass(frozen=True)
class OwnDeadline:
    """A member who is not enrolled, their own deadline, since when they know it, and the database's time."""

    account_id: UUID
    user_id: UUID
    required_since: datetime
    deadline: datetime
    announced_at: datetime
    now: datetime


async def near(connection: Connection, behind: timedelta, ahead: timedelta) -> AsyncIterator[list[OwnDeadline]]:
    """The own deadlines that passed within `behind`, or will pass within `ahead`, some thousands at a time.

    An account may have taken in any number of people on one day. Within a transaction.
    """
    rows = connection.cursor(
        """
        WITH candidates AS (
            SELECT id FROM staff WHERE excepted_until BETWEEN now() - $1::interval AND now() + $2::interval
            UNION
            SELECT staff.id FROM accounts JOIN staff ON staff.account_id = accounts.id
                AND staff.created_at > now() - make_interval(hours => 24 * joiner_days) - $1::interval
                AND staff.created_at > required_since
            WHERE joiner_days > 0 AND required_since IS NOT NULL
        )
        SELECT account_id, user_id, required_since, mfa_deadline(accounts, staff) AS deadline,
            coalesce((SELECT created_at FROM mfa_exceptions WHERE mfa_exceptions.account_id = staff.account_id
                AND mfa_exceptions.user_id = staff.user_id AND ended_at IS NULL), staff.created_at) AS announced_at,
            now() AS now
        FROM candidates JOIN staff USING (id) JOIN accounts ON accounts.id = account_id
        WHERE mfa_deadline(accounts, staff) BETWEEN now() - $1::interval AND now() + $2::interval
            AND mfa_deadline(accounts, staff) <> grace_deadline AND invited_at IS NULL
            -- whoever was reset is stopped already, whatever the deadline
            AND NOT has_mfa AND NOT was_reset
        ORDER BY account_id, user_id
        """,
        behind,
        ahead,
        prefetch=AT_ONCE,
    )
    some: list[OwnDeadline] = []
    async for row in rows:
        some.append(OwnDeadline(**row))
        if len(some) == AT_ONCE:
            yield some
            some = []
    yield some


async def claim(connection: Connection, due: list[tuple[OwnDeadline, int]]) -> set[tuple[UUID, UUID]]:
    """Claim each of these at a threshold in days; the accounts and people that were not claimed before."""
    rows = await connection.fetch(
        """
        INSERT INTO own_reminders (account_id, user_id, deadline, threshold_days)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::int[]) AS due (account_id, user_id)
        ORDER BY account_id, user_id
        ON CONFLICT DO NOTHING
        RETURNING account_id, user_id
        """,
        [own.account_id for own, _ in due],
        [own.user_id for own, _ in due],
        [own.deadline for own, _ in due],
        [threshold_days for _, threshold_days in due],
    )
    return {(row["account_id"], row["user_id"]) for row in rows}
