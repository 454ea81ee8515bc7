"""The staff of an account: the roster, its people's MFA, and reminding them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

import asyncpg

from db.pool import Connection
from rules.people import Role
from rules.reminders import REMINDED_AGAIN_AFTER

BEFORE_ALL = ("", UUID(int=0))


def _column(place: int) -> Any:
    return property(itemgetter(place))


class Member(asyncpg.Record):
    """One row of the roster as asyncpg makes it, read by its columns' places: a page has 500 and copies none."""

    __slots__ = ()

    id: UUID = _column(0)
    user_id: UUID = _column(1)
    email: str = _column(2)
    role: str = _column(3)
    mfa_enabled_at: datetime | None = _column(4)
    last_reminded_at: datetime | None = _column(5)
    last_reminder_failed_at: datetime | None = _column(6)
    invited_at: datetime | None = _column(7)
    mfa_deadline: datetime | None = _column(8)
    mfa_state: str = _column(9)
    mfa_deadline_reason: str | None = _column(10)
    elsewhere: list[UUID] = _column(11)
    owned_elsewhere: list[UUID] = _column(12)
    enrollment_stopped: bool = _column(13)
    has_reset_waiting: bool = _column(14)
    needs_approval: bool = _column(15)


@dataclass(frozen=True)
class Filter:
    """Conditions on the roster, all of which must hold; None asks for nothing."""

    mfa_enabled: bool | None = None
    mfa_state: str | None = None
    role: str | None = None
    search: str | None = None
    invited: bool | None = None


async def page(
    connection: Connection, account_id: UUID, wanted: Filter, after: tuple[str, UUID] | None, limit: int
) -> list[Member]:
    """Up to `limit` of the account's staff by email, from behind `after`, an email and a membership's id.

    Each role, enrolled and not, is an index range of its own that is read no further than the page goes, under any
    plan: `after` is never null. What else is asked of a person is read off the same index.
    """
    return await connection.fetch(
        """
        SELECT id, staff.user_id, email, role, enabled_at AS mfa_enabled_at, last_reminded_at,
            last_reminder_failed_at, invited_at, mfa_deadline,
            mfa_state(enabled_at IS NOT NULL, reenrollment_required_at IS NOT NULL, mfa_deadline, now()),
            mfa_deadline_reason(account, staff, reenrollment_required_at IS NOT NULL),
            elsewhere, owned_elsewhere,
            enrollment_stopped_at IS NOT NULL AS enrollment_stopped,
            (SELECT id FROM reset_requests WHERE reset_requests.user_id = staff.user_id
                AND reset_requests.account_id = $1 AND expires_at > now()) IS NOT NULL AS has_reset_waiting,
            needs_approval
        FROM (
            SELECT found.id, found.mfa_deadline, accounts AS account
            FROM accounts, (VALUES ('OWNER'), ('ADMIN'), ('MEMBER')) AS roles (role),
                (VALUES (true), (false)) AS halves (has_mfa),
                LATERAL (
                    SELECT staff.id, staff.email, mfa_deadline(accounts, staff)
                    FROM staff
                    WHERE account_id = $1 AND staff.role = roles.role AND staff.has_mfa = halves.has_mfa
                        AND (staff.email, staff.id) > ($2, $3::uuid)
                        AND ($7::text IS NULL OR staff.email LIKE $7)
                        AND ($5::text IS NULL
                            OR mfa_state(staff.has_mfa, was_reset, mfa_deadline(accounts, staff), now()) = $5)
                        AND ($8::bool IS NULL OR (invited_at IS NOT NULL) = $8)
                    ORDER BY staff.email, staff.id
                    LIMIT $9
                ) AS found
            WHERE accounts.id = $1 AND ($6::text IS NULL OR roles.role = $6)
                AND ($4::bool IS NULL OR halves.has_mfa = $4)
                AND ($5::text IS NULL OR halves.has_mfa = ($5 = 'ENABLED'))
            ORDER BY found.email, found.id
            LIMIT $9
        ) AS page
        JOIN staff USING (id)
        -- what else is known of someone invited is nobody's business here before they have come
        LEFT JOIN (SELECT id AS user_id, reenrollment_required_at, enrollment_stopped_at FROM users) AS users
            ON users.user_id = staff.user_id AND invited_at IS NULL
        LEFT JOIN factors ON factors.user_id = staff.user_id AND invited_at IS NULL
        CROSS JOIN LATERAL roles_everywhere(staff.user_id, $1)
        ORDER BY email, id
        """,
        account_id,
        *(after or BEFORE_ALL),
        *_conditions(wanted),
        limit,
        record_class=Member,
    )


async def count(connection: Connection, account_id: UUID, wanted: Filter) -> int:
    """How many of the account's staff the conditions hold for."""
    counted: int = await connection.fetchval(
        """
        SELECT count(*)
        FROM staff JOIN accounts ON accounts.id = staff.account_id
        WHERE account_id = $1
            AND ($2::bool IS NULL OR has_mfa = $2)
            -- of those enrolled nothing else is asked, which takes half the time
            AND ($3::text IS NULL OR has_mfa = ($3 = 'ENABLED') AND ($3 = 'ENABLED'
                OR mfa_state(has_mfa, was_reset, mfa_deadline(accounts, staff), now()) = $3))
            AND ($4::text IS NULL OR role = $4)
            AND ($5::text IS NULL OR email LIKE $5)
            AND ($6::bool IS NULL OR (invited_at IS NOT NULL) = $6)
        """,
        account_id,
        *_conditions(wanted),
    )
    return counted


async def members(connection: Connection, account_id: UUID, user_ids: list[UUID]) -> list[Member]:
    """The roster's rows of these people, as far as they are staff of the account; in no order."""
    return await connection.fetch(
        """
        SELECT staff.id, staff.user_id, staff.email, role, factors.enabled_at AS mfa_enabled_at, last_reminded_at,
            last_reminder_failed_at, invited_at,
            mfa_deadline(accounts, staff), mfa_state(factors.user_id IS NOT NULL, reenrollment_required_at IS NOT NULL,
                mfa_deadline(accounts, staff), now()),
            mfa_deadline_reason(accounts, staff, reenrollment_required_at IS NOT NULL),
            elsewhere, owned_elsewhere,
            enrollment_stopped_at IS NOT NULL AS enrollment_stopped,
            (SELECT id FROM reset_requests WHERE reset_requests.user_id = staff.user_id
                AND reset_requests.account_id = $1 AND expires_at > now()) IS NOT NULL AS has_reset_waiting,
            needs_approval
        FROM staff
        JOIN accounts ON accounts.id = staff.account_id
        LEFT JOIN users ON users.id = staff.user_id AND invited_at IS NULL
        LEFT JOIN factors ON factors.user_id = staff.user_id AND invited_at IS NULL
        CROSS JOIN LATERAL roles_everywhere(staff.user_id, $1)
        WHERE staff.account_id = $1 AND staff.user_id = ANY ($2)
        """,
        account_id,
        user_ids,
        record_class=Member,
    )


async def hold_roles(connection: Connection, user_id: UUID) -> dict[UUID, Role]:
    """Keep the person in the roles that they have until this transaction ends; which, by account."""
    rows = await connection.fetch(
        "SELECT account_id, role FROM staff WHERE user_id = $1 AND invited_at IS NULL ORDER BY id FOR SHARE", user_id
    )
    return {row["account_id"]: Role(row["role"]) for row in rows}


async def user_of(connection: Connection, account_id: UUID, staff_id: UUID) -> UUID | None:
    """Whose membership this is; None when it is not of this account, or they have not come yet."""
    found: UUID | None = await connection.fetchval(
        "SELECT user_id FROM staff WHERE id = $2 AND account_id = $1 AND invited_at IS NULL", account_id, staff_id
    )
    return found


@dataclass(frozen=True)
class ClaimedReminder:
    """Somebody to remind of a requirement, and the database's time."""

    user_id: UUID
    required_since: datetime
    deadline: datetime
    now: datetime


async def claim_reminders(
    connection: Connection, account_id: UUID, actor_id: UUID, staff_ids: list[UUID]
) -> list[ClaimedReminder]:
    """Claim a reminder for each of these who is not enrolled, is asked to be by a deadline, and had none lately."""
    rows = await connection.fetch(
        """
        UPDATE staff SET reminder_claimed_at = now()
        FROM accounts
        WHERE accounts.id = $1 AND mfa_deadline(accounts, staff) IS NOT NULL AND staff.id IN (
            SELECT id FROM staff AS wanted
            WHERE account_id = $1 AND id = ANY ($3)
                AND EXISTS (SELECT FROM staff AS actor WHERE actor.account_id = $1 AND actor.user_id = $2
                            AND manages(actor.role) AND actor.invited_at IS NULL)
                AND wanted.invited_at IS NULL
                AND NOT EXISTS (SELECT FROM factors WHERE factors.user_id = wanted.user_id)
                AND NOT EXISTS (SELECT FROM users
                    WHERE users.id = wanted.user_id AND reenrollment_required_at IS NOT NULL)
                AND (reminder_claimed_at IS NULL OR reminder_claimed_at <= now() - $4::interval)
            ORDER BY id FOR NO KEY UPDATE
        )
        RETURNING staff.user_id, required_since, mfa_deadline(accounts, staff) AS deadline, now() AS now
        """,
        account_id,
        actor_id,
        staff_ids,
        REMINDED_AGAIN_AFTER,
    )
    return [ClaimedReminder(**row) for row in rows]


def _conditions(wanted: Filter) -> tuple[bool | None, str | None, str | None, str | None, bool | None]:
    pattern = None
    if wanted.search is not None:
        escaped = wanted.search.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        pattern = f"%{escaped}%"
    return wanted.mfa_enabled, wanted.mfa_state, wanted.role, pattern, wanted.invited
