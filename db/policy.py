"""The account's policy: one row decides, under its lock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import db.users
from db.pool import Connection
from rules.people import Account
from rules.policy import Wanted
from rules.resets import ResetApproval

# Clients are told milliseconds: by these alone one policy of an account is told from the next.
APART = timedelta(milliseconds=1)


async def lock(connection: Connection, account_id: UUID) -> Account | None:
    """The account, for this transaction to change.

    Lock order everywhere: account, users by id, staff, sessions, challenges, throttles.
    """
    row = await connection.fetchrow(
        """
        SELECT id AS account_id, name AS account_name, required_since, grace_days, grace_deadline, policy_updated_at,
            joiner_days, required_of, confirm_reset_by_email, reset_approval
        FROM accounts WHERE id = $1 FOR NO KEY UPDATE
        """,
        account_id,
    )
    return db.users.account_from(row) if row else None


@dataclass(frozen=True)
class Asked:
    """A member who is not enrolled and has to be, by when, and since when it is required."""

    subject_id: UUID
    required_since: datetime
    deadline: datetime


async def asked(
    connection: Connection, account_id: UUID, user_ids: list[UUID], *, by_role: bool = False, ahead: bool = False
) -> list[Asked]:
    """Those of these members who have to enroll.

    `by_role`: only where not everybody has to; `ahead`: only where the deadline has not passed.

    The account's lock, shared or not, is the caller's: a policy is saved before or after, and not meanwhile.
    """
    rows = await connection.fetch(
        """
        SELECT user_id AS subject_id, required_since, mfa_deadline(accounts, staff) AS deadline
        FROM staff JOIN accounts ON accounts.id = account_id
        WHERE account_id = $1 AND user_id = ANY ($2) AND invited_at IS NULL
            AND mfa_deadline(accounts, staff) IS NOT NULL AND (NOT $3 OR required_of <> 'EVERYONE')
            AND (NOT $4 OR mfa_deadline(accounts, staff) > now())
            -- whoever is exempted until a day or more before it is told as that ends
            AND NOT has_mfa AND NOT was_reset AND NOT is_told_later(accounts, staff)
        ORDER BY user_id
        """,
        account_id,
        user_ids,
        by_role,
        ahead,
    )
    return [Asked(**row) for row in rows]


async def save(connection: Connection, account_id: UUID, wanted: Wanted) -> Account:
    """Require MFA with that many days of grace, or no more (None). The requirement keeps the instant it began.

    It is announced only where people are mailed of it: as it is turned on, moved, or asked of more.
    """
    row = await connection.fetchrow(
        """
        WITH wanted AS (
            SELECT CASE WHEN $2::smallint IS NOT NULL THEN coalesce(required_since, now()) END AS since
            FROM accounts WHERE id = $1
        )
        UPDATE accounts SET required_since = since, grace_days = $2,
            grace_deadline = since + make_interval(hours => 24 * $2),
            announced_at = CASE
                WHEN since IS NULL THEN NULL
                WHEN grace_deadline IS DISTINCT FROM since + make_interval(hours => 24 * $2)
                    OR required_of = 'OWNERS_AND_ADMINS' AND $4 = 'EVERYONE' THEN now()
                ELSE announced_at END,
            grace_ended_at = CASE WHEN since + make_interval(hours => 24 * $2) <= now() THEN grace_ended_at END,
            joiner_days = coalesce($3, joiner_days), required_of = coalesce($4, required_of),
            policy_updated_at = greatest(now(), policy_updated_at + $5::interval)
        FROM wanted WHERE id = $1
        RETURNING id AS account_id, name AS account_name, required_since, grace_days, grace_deadline,
            policy_updated_at, joiner_days, required_of, confirm_reset_by_email, reset_approval
        """,
        account_id,
        wanted.grace_days,
        wanted.joiner_days,
        wanted.required_of,
        APART,
    )
    assert row is not None
    return db.users.account_from(row)


async def set_reset_confirmation(connection: Connection, account_id: UUID, is_required: bool) -> Account:
    """Whether enrolling after a reset needs a link out of an email, too. It announces nothing and moves no deadline."""
    row = await connection.fetchrow(
        """
        UPDATE accounts SET confirm_reset_by_email = $2,
            policy_updated_at = greatest(now(), policy_updated_at + $3::interval)
        WHERE id = $1
        RETURNING id AS account_id, name AS account_name, required_since, grace_days, grace_deadline,
            policy_updated_at, joiner_days, required_of, confirm_reset_by_email, reset_approval
        """,
        account_id,
        is_required,
        APART,
    )
    assert row is not None
    return db.users.account_from(row)


async def set_reset_approval(connection: Connection, account_id: UUID, approval: ResetApproval) -> Account:
    """Whose resets a second owner or admin must approve, from now on; those that wait go on waiting."""
    row = await connection.fetchrow(
        """
        UPDATE accounts SET reset_approval = $2,
            policy_updated_at = greatest(now(), policy_updated_at + $3::interval)
        WHERE id = $1
        RETURNING id AS account_id, name AS account_name, required_since, grace_days, grace_deadline,
            policy_updated_at, joiner_days, required_of, confirm_reset_by_email, reset_approval
        """,
        account_id,
        approval,
        APART,
    )
    assert row is not None
    return db.users.account_from(row)


LOOKED_BACK = timedelta(seconds=10)


@dataclass(frozen=True)
class Impact:
    """What saving a policy would do."""

    staff_count: int
    enrolled_count: int
    affected_count: int
    blocked_now_count: int
    grace_deadline: datetime | None
    owner_count: int
    admin_count: int
    member_count: int


async def impact(connection: Connection, account_id: UUID, wanted: Wanted) -> Impact:
    """What saving that policy would do, without doing it.

    Whoever an admin has reset is stopped by that already, and counts as affected only by a requirement.
    """
    row = await connection.fetchrow(
        """
        WITH saved AS (
            SELECT since, since + make_interval(hours => 24 * $2::int) AS deadline, joiner_days, required_of
            FROM (SELECT coalesce(required_since, now()) AS since, coalesce($3, joiner_days) AS joiner_days,
                    coalesce($4, required_of) AS required_of
                FROM accounts WHERE id = $1) AS account
        ), members AS (
            SELECT has_mfa AS is_enrolled, mfa_deadline(
                    CASE WHEN saved.deadline IS NOT NULL THEN since END, saved.deadline, joiner_days, required_of,
                    role, created_at, excepted_until
                ) AS deadline, role
            FROM saved, staff
            WHERE account_id = $1 AND invited_at IS NULL
        )
        SELECT count(*) AS staff_count,
            count(*) FILTER (WHERE is_enrolled) AS enrolled_count,
            count(*) FILTER (WHERE NOT is_enrolled AND deadline IS NOT NULL) AS affected_count,
            count(*) FILTER (WHERE mfa_state(is_enrolled, false, deadline, now()) = 'BLOCKED') AS blocked_now_count,
            (SELECT deadline FROM saved) AS grace_deadline,
            count(*) FILTER (WHERE role = 'OWNER') AS owner_count,
            count(*) FILTER (WHERE role = 'ADMIN') AS admin_count,
            count(*) FILTER (WHERE role = 'MEMBER') AS member_count
        FROM members
        """,
        account_id,
        wanted.grace_days,
        wanted.joiner_days,
        wanted.required_of,
    )
    assert row is not None
    return Impact(**row)


@dataclass(frozen=True)
class Progress:
    """How far an account's enrollment has come."""

    staff_count: int
    enrolled_count: int
    pending_count: int
    blocked_count: int
    resets_waiting_count: int
    recoveries_waiting_count: int


async def progress(connection: Connection, account_id: UUID) -> Progress:
    """Counts over the account's staff; blocked as the roster shows it."""
    row = await connection.fetchrow(
        """
        WITH counted AS MATERIALIZED (
            SELECT (
                SELECT count(*) FROM staff WHERE account_id = $1 AND has_mfa AND invited_at IS NULL
            ) AS enrolled_count, (
                SELECT count(*) FROM staff WHERE account_id = $1 AND NOT has_mfa AND invited_at IS NULL
            ) AS others_count,
            -- nobody's deadline comes before the account's: until then a reset alone blocks, which the index tells.
            -- It could not if mfa_state were asked, so that its rule is written out here, in both arms.
            CASE WHEN (SELECT grace_deadline <= now() FROM accounts WHERE id = $1) THEN (
                SELECT count(*) FROM staff JOIN accounts ON accounts.id = staff.account_id
                WHERE staff.account_id = $1 AND NOT has_mfa AND invited_at IS NULL
                    AND (was_reset OR mfa_deadline(accounts, staff) <= now())
            ) ELSE (
                SELECT count(*) FROM staff WHERE account_id = $1 AND NOT has_mfa AND was_reset AND invited_at IS NULL
            ) END AS blocked_count
        )
        SELECT enrolled_count + others_count AS staff_count, enrolled_count,
            others_count - blocked_count AS pending_count, blocked_count,
            (SELECT count(*) FROM reset_requests WHERE account_id = $1 AND expires_at > now()) AS resets_waiting_count,
            (SELECT count(*) FROM account_recoveries_of($1)) AS recoveries_waiting_count
        FROM counted
        """,
        account_id,
    )
    assert row is not None
    return Progress(**row)


async def just_ended(connection: Connection, account_ids: list[UUID]) -> list[UUID]:
    """In which of these accounts somebody's deadline has passed within the last ten seconds."""
    rows = await connection.fetch(
        """
        SELECT id FROM accounts
        WHERE id = ANY ($1) AND (
            grace_deadline BETWEEN now() - $2::interval AND now()
            OR EXISTS (SELECT FROM staff WHERE account_id = accounts.id
                AND excepted_until BETWEEN now() - $2::interval AND now())
            OR joiner_days > 0 AND EXISTS (SELECT FROM staff WHERE account_id = accounts.id
                AND created_at BETWEEN now() - make_interval(hours => 24 * joiner_days) - $2::interval
                    AND now() - make_interval(hours => 24 * joiner_days))
        )
        """,
        account_ids,
        LOOKED_BACK,
    )
    return [row["id"] for row in rows]
