"""How an account complied with its own MFA requirement at an instant, past or present."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.exceptions import MfaException
from db.pool import Connection


@dataclass(frozen=True)
class Compliance:
    """The policy that held then, and the counts under it; None of it while the account was not there yet."""

    at: datetime
    required_since: datetime | None
    grace_days: int | None
    grace_deadline: datetime | None
    joiner_days: int
    required_of: str
    staff_count: int
    enrolled_count: int
    pending_count: int
    blocked_count: int
    excepted_count: int


async def at(connection: Connection, account_id: UUID, instant: datetime | None) -> Compliance | None:
    """The account at an instant (now when None); None when it lies ahead, or before the account began."""
    row = await connection.fetchrow(
        """
        WITH asked AS (
            SELECT coalesce($2, now()) AS at WHERE $2 IS NULL OR $2 <= clock_timestamp()
        ), policy AS (
            SELECT asked.at, policy_history.* FROM asked, policy_history
            WHERE account_id = $1 AND valid_from <= at AND (valid_to IS NULL OR valid_to > at)
        ), members AS (
            SELECT is_enrolled, is_excepted AND NOT is_enrolled AS is_excepted,
                mfa_state(is_enrolled, is_reset, deadline, at) AS state
            FROM policy, LATERAL (
                SELECT
                    EXISTS (SELECT FROM factor_history WHERE factor_history.user_id = member.user_id
                        AND valid_from <= at AND (valid_to IS NULL OR valid_to > at)) AS is_enrolled,
                    EXISTS (SELECT FROM reset_history WHERE reset_history.user_id = member.user_id
                        AND valid_from <= at AND (valid_to IS NULL OR valid_to > at)) AS is_reset,
                    coalesce(excepted.until > at, false) AS is_excepted,
                    mfa_deadline(required_since, grace_deadline, joiner_days, required_of, member.role,
                        member.joined_at, excepted.until) AS deadline
                FROM member_history AS member
                LEFT JOIN mfa_exceptions AS excepted
                    ON excepted.account_id = $1 AND excepted.user_id = member.user_id
                    AND excepted.created_at <= at AND (excepted.ended_at IS NULL OR excepted.ended_at > at)
                WHERE member.account_id = $1 AND member.valid_from <= at
                    AND (member.valid_to IS NULL OR member.valid_to > at)
            ) AS member
        ), counted AS (
            SELECT count(*) AS staff_count, count(*) FILTER (WHERE is_enrolled) AS enrolled_count,
                count(*) FILTER (WHERE state = 'NOT_ENABLED') AS pending_count,
                count(*) FILTER (WHERE state = 'BLOCKED') AS blocked_count,
                count(*) FILTER (WHERE is_excepted) AS excepted_count
            FROM members
        )
        SELECT at, required_since, grace_days, grace_deadline, joiner_days, required_of,
            staff_count, enrolled_count, pending_count, blocked_count, excepted_count
        FROM policy, counted
        """,
        account_id,
        instant,
    )
    return Compliance(**row) if row else None


async def exceptions_at(connection: Connection, account_id: UUID, instant: datetime, limit: int) -> list[MfaException]:
    """The exceptions that held at an instant, newest first."""
    rows = await connection.fetch(
        """
        SELECT mfa_exceptions.id, staff.id AS staff_id, mfa_exceptions.user_id, users.email, kind, is_break_glass,
            until, reason, authors.email AS author_email, mfa_exceptions.created_at, ended_at
        FROM mfa_exceptions
        JOIN users ON users.id = mfa_exceptions.user_id
        LEFT JOIN users AS authors ON authors.id = author_id
        LEFT JOIN staff ON staff.account_id = mfa_exceptions.account_id AND staff.user_id = mfa_exceptions.user_id
        WHERE mfa_exceptions.account_id = $1 AND mfa_exceptions.created_at <= $2
            AND (ended_at IS NULL OR ended_at > $2) AND until > $2
        ORDER BY mfa_exceptions.created_at DESC, mfa_exceptions.id
        LIMIT $3
        """,
        account_id,
        instant,
        limit,
    )
    return [MfaException(**row) for row in rows]
