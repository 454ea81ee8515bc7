"""Members with a deadline of their own, by an exception or for joining later: whom to remind of it, once each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from db.pool import Connection
from db.users import BEFORE_ALL
from rules.policy import DAY

AT_ONCE = 2_000


@dataclass(frozen=True)
class OwnDeadline:
    """A member who is not enrolled, their own deadline, since when they know it, and the database's time."""

    account_id: UUID
    user_id: UUID
    staff_id: UUID
    joined_at: datetime
    required_since: datetime
    deadline: datetime
    announced_at: datetime
    now: datetime
    # When the exemption ended that had kept it from them.
    exempted_until: datetime | None = None


async def near_by_exception(
    connection: Connection, behind: timedelta, ahead: timedelta, after: OwnDeadline | None
) -> list[OwnDeadline]:
    """The next 2,000 after this one whose exception ended within `behind`, or will end within `ahead`.

    Of exemptions those, too, that have ended a day or more before the deadline, of which nobody has told while they
    held (is_told_later), nor has a mail to all since.
    """
    rows = await connection.fetch(
        """
        SELECT staff.account_id, staff.user_id, staff.id AS staff_id, staff.created_at AS joined_at, required_since,
            mfa_deadline(accounts, staff) AS deadline, coalesce(given.created_at, staff.created_at) AS announced_at,
            now() AS now, CASE WHEN mfa_deadline(accounts, staff) > excepted_until THEN excepted_until END
                AS exempted_until
        FROM staff JOIN accounts ON accounts.id = staff.account_id
        LEFT JOIN mfa_exceptions AS given
            ON given.account_id = staff.account_id AND given.user_id = staff.user_id AND ended_at IS NULL
        WHERE excepted_until BETWEEN now() - $1::interval AND now() + $2::interval AND staff.id > $3
            AND (mfa_deadline(accounts, staff) = excepted_until AND excepted_until <> grace_deadline
                OR is_exempt AND excepted_until <= now() AND mfa_deadline(accounts, staff) > now()
                    AND mfa_deadline(accounts, staff) >= excepted_until + $5::interval
                    AND (mfa_deadline(accounts, staff) <> grace_deadline OR excepted_until > accounts.announced_at))
            AND invited_at IS NULL
            -- whoever was reset is stopped already, whatever the deadline
            AND NOT has_mfa AND NOT was_reset
        ORDER BY staff.id LIMIT $4
        """,
        behind,
        ahead,
        after.staff_id if after else BEFORE_ALL,
        AT_ONCE,
        DAY,
    )
    return [OwnDeadline(**row) for row in rows]


async def near_by_joining(
    connection: Connection, behind: timedelta, ahead: timedelta, after: OwnDeadline | None
) -> list[OwnDeadline]:
    """The same of those who have more time for having joined later: any number may have joined in one moment."""
    rows = await connection.fetch(
        """
        SELECT accounts.id AS account_id, user_id, staff_id, joined_at, required_since, deadline,
            greatest(coalesce((SELECT created_at FROM mfa_exceptions AS given WHERE given.account_id = accounts.id
                AND given.user_id = joined.user_id AND ended_at IS NULL), joined_at), exempted_until) AS announced_at,
            now() AS now
        FROM accounts, LATERAL (
            -- a page of each account at most, along the index
            SELECT user_id, id AS staff_id, staff.created_at AS joined_at, mfa_deadline(accounts, staff) AS deadline,
                CASE WHEN is_exempt AND excepted_until <= now() THEN excepted_until END AS exempted_until
            FROM staff
            WHERE account_id = accounts.id AND (account_id, staff.created_at, user_id) > ($3, $4, $5)
                AND staff.created_at BETWEEN now() - make_interval(hours => 24 * joiner_days) - $1::interval
                    AND now() - make_interval(hours => 24 * joiner_days) + $2::interval
                AND staff.created_at > required_since
                AND mfa_deadline(accounts, staff) BETWEEN now() - $1::interval AND now() + $2::interval
                AND mfa_deadline(accounts, staff) <> grace_deadline
                AND mfa_deadline(accounts, staff) IS DISTINCT FROM excepted_until
                AND invited_at IS NULL AND NOT has_mfa AND NOT was_reset AND NOT is_told_later(accounts, staff)
            ORDER BY staff.created_at, user_id LIMIT $6
        ) AS joined
        WHERE joiner_days > 0 AND required_since IS NOT NULL AND accounts.id >= $3
        ORDER BY accounts.id, joined_at, user_id LIMIT $6
        """,
        behind,
        ahead,
        after.account_id if after else BEFORE_ALL,
        after.joined_at if after else None,
        after.user_id if after else None,
        AT_ONCE,
    )
    return [OwnDeadline(**row) for row in rows]


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
        [own.exempted_until or own.deadline for own, _ in due],
        [threshold_days for _, threshold_days in due],
    )
    return {(row["account_id"], row["user_id"]) for row in rows}
