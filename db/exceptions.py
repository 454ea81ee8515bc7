"""Exceptions from an account's MFA requirement. The one that holds stands on the member's row as well."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.policy import LOOKED_BACK
from db.pool import Connection
from rules.standing import MOST_AT_ONCE, ExceptionKind


@dataclass(frozen=True)
class MfaException:
    """An exception: whose, of which kind, by whom, why, and until when."""

    id: UUID
    staff_id: UUID | None
    user_id: UUID
    email: str
    kind: str
    is_break_glass: bool
    until: datetime
    reason: str
    author_email: str | None
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Ended:
    """An exception that time has ended: of whom, where, and when."""

    account_id: UUID
    user_id: UUID
    until: datetime


@dataclass(frozen=True)
class Candidate:
    """A member who may be given an exception, whether theirs is a break-glass account, and the database's time."""

    staff_id: UUID
    user_id: UUID
    role: str
    deadline: datetime | None
    is_break_glass: bool
    now: datetime


async def keep_people(connection: Connection, account_id: UUID, staff_ids: list[UUID]) -> None:
    """Keep whose memberships these are, as db.users.keep does, in one order, before any membership is locked."""
    await connection.execute(
        """
        SELECT FROM users WHERE id = ANY (ARRAY(SELECT user_id FROM staff WHERE account_id = $1 AND id = ANY ($2)))
        ORDER BY id FOR KEY SHARE
        """,
        account_id,
        staff_ids,
    )


async def lock_members(connection: Connection, account_id: UUID, staff_ids: list[UUID]) -> dict[UUID, Candidate]:
    """These members of the account, whose people are kept, for this transaction to change, by membership."""
    rows = await connection.fetch(
        """
        SELECT staff.id AS staff_id, user_id, role, mfa_deadline(accounts, staff) AS deadline, now() AS now,
            EXISTS (SELECT FROM mfa_exceptions AS held WHERE held.account_id = $1 AND held.user_id = staff.user_id
                AND held.is_break_glass AND ended_at IS NULL AND until > now()) AS is_break_glass
        FROM staff JOIN accounts ON accounts.id = account_id
        WHERE account_id = $1 AND staff.id = ANY ($2)
        ORDER BY staff.id FOR NO KEY UPDATE OF staff
        """,
        account_id,
        staff_ids,
    )
    return {row["staff_id"]: Candidate(**row) for row in rows}


async def give(
    connection: Connection,
    account_id: UUID,
    user_ids: list[UUID],
    kind: ExceptionKind,
    *,
    until: datetime,
    reason: str,
    author_id: UUID | None,
    is_break_glass: bool,
) -> list[UUID]:
    """Give each of these members, whose rows are locked, the exception in place of the one that holds; their ids."""
    await connection.execute(
        """
        UPDATE mfa_exceptions SET ended_at = now(), ended_by = $3
        WHERE account_id = $1 AND user_id = ANY ($2) AND ended_at IS NULL
        """,
        account_id,
        user_ids,
        author_id,
    )
    rows = await connection.fetch(
        """
        WITH given AS (
            INSERT INTO mfa_exceptions (account_id, user_id, kind, is_break_glass, until, reason, author_id)
            SELECT $1, unnest($2::uuid[]), $3, $7, $4, $5, $6
            RETURNING id, user_id
        ), held AS (
            UPDATE staff SET excepted_until = $4, is_exempt = $3 = 'EXEMPTED'
            FROM given WHERE staff.account_id = $1 AND staff.user_id = given.user_id
        )
        SELECT id FROM given
        """,
        account_id,
        user_ids,
        kind,
        until,
        reason,
        author_id,
        is_break_glass,
    )
    return [row["id"] for row in rows]


async def end(connection: Connection, account_id: UUID, exception_id: UUID, author_id: UUID | None) -> UUID | None:
    """End an exception that still holds; whose it was, None when there is none such."""
    user_id: UUID | None = await connection.fetchval(
        """
        WITH over AS (
            UPDATE mfa_exceptions SET ended_at = now(), ended_by = $3
            WHERE account_id = $1 AND id = $2 AND ended_at IS NULL AND until > now()
            RETURNING user_id
        )
        UPDATE staff SET excepted_until = NULL, is_exempt = false
        FROM over WHERE staff.account_id = $1 AND staff.user_id = over.user_id
        RETURNING staff.user_id
        """,
        account_id,
        exception_id,
        author_id,
    )
    return user_id


async def just_ended(connection: Connection, account_ids: list[UUID]) -> list[Ended]:
    """Whose exception in one of these accounts has come to its end within the last ten seconds, up to 500 of them."""
    rows = await connection.fetch(
        """
        SELECT account_id, user_id, excepted_until AS until FROM staff
        WHERE account_id = ANY ($1) AND excepted_until BETWEEN now() - $2::interval AND now()
        LIMIT $3
        """,
        account_ids,
        LOOKED_BACK,
        MOST_AT_ONCE,
    )
    return [Ended(**row) for row in rows]


async def listed(
    connection: Connection, account_id: UUID, ids: list[UUID] | None, *, with_ended: bool, limit: int
) -> list[MfaException]:
    """The account's exceptions, newest first: those that hold, or with those that have ended; `ids` picks some."""
    rows = await connection.fetch(
        """
        SELECT mfa_exceptions.id, staff.id AS staff_id, mfa_exceptions.user_id, people.email, kind, is_break_glass,
            until, reason, authors.email AS author_email, mfa_exceptions.created_at, ended_at
        FROM mfa_exceptions
        CROSS JOIN LATERAL address_known_to($1, mfa_exceptions.user_id) AS people
        LEFT JOIN address_known_to($1, author_id) AS authors ON true
        LEFT JOIN staff ON staff.account_id = mfa_exceptions.account_id AND staff.user_id = mfa_exceptions.user_id
        WHERE mfa_exceptions.account_id = $1
            AND ($2::uuid[] IS NULL OR mfa_exceptions.id = ANY ($2))
            AND ($3 OR (ended_at IS NULL AND until > now()))
        ORDER BY mfa_exceptions.created_at DESC, mfa_exceptions.id
        LIMIT $4
        """,
        account_id,
        ids,
        with_ended,
        limit,
    )
    return [MfaException(**row) for row in rows]
