"""The lock-out forecast of an account, and what is known of whether backup codes were saved."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from db.pool import Connection
from db.staff import BEFORE_ALL
from rules.lock_out import FEW_CODES, LockOutReason


@dataclass(frozen=True)
class Risk:
    """Somebody who could not come back today, or not for long."""

    staff_id: UUID
    email: str
    role: str
    backup_codes_remaining: int
    reasons: list[str]


@dataclass(frozen=True)
class Forecast:
    """How many there are, for which reason how many, and a page of them by email."""

    total: int
    by_reason: dict[LockOutReason, int]
    risks: list[Risk]


async def forecast(connection: Connection, account_id: UUID, after: tuple[str, UUID] | None, limit: int) -> Forecast:
    """Who has MFA on and no way back, or hardly any; up to `limit` of them from behind `after`.

    Whoever has spent a code has saved them. That nobody else could help an only owner counts beside another reason.
    """
    rows = await connection.fetch(
        """
        WITH owners AS (
            SELECT count(*) AS n FROM staff WHERE account_id = $1 AND role = 'OWNER' AND invited_at IS NULL
        ), named AS (
            -- of most no more is read than that there are enough codes
            SELECT staff.id, staff.email, staff.role, staff.user_id, saving.is_open
            FROM staff
            JOIN factors ON factors.user_id = staff.user_id
            CROSS JOIN LATERAL (SELECT codes_shown_at IS NOT NULL AND codes_saved_at IS NULL AND NOT EXISTS (
                SELECT FROM spent_backup_codes AS spent WHERE spent.user_id = staff.user_id) AS is_open) AS saving
            WHERE account_id = $1 AND invited_at IS NULL AND (saving.is_open
                OR NOT EXISTS (SELECT FROM backup_codes WHERE user_id = staff.user_id OFFSET $2))
        ), at_risk AS MATERIALIZED (
            SELECT id, email, role, remaining, array_remove(ARRAY[
                CASE WHEN remaining = 0 THEN 'NO_CODES' WHEN remaining <= $2 THEN 'FEW_CODES' END,
                CASE WHEN is_open AND remaining > 0 THEN 'CODES_NOT_SAVED' END,
                CASE WHEN role = 'OWNER' AND owners.n = 1 THEN 'ONLY_OWNER' END], NULL) AS reasons
            FROM owners, named
            CROSS JOIN LATERAL (SELECT count(*) AS remaining FROM backup_codes WHERE user_id = named.user_id) AS codes
        ), counted AS (
            SELECT count(*) AS total, count(*) FILTER (WHERE 'NO_CODES' = ANY (reasons)) AS no_codes,
                count(*) FILTER (WHERE 'FEW_CODES' = ANY (reasons)) AS few_codes,
                count(*) FILTER (WHERE 'CODES_NOT_SAVED' = ANY (reasons)) AS codes_not_saved,
                count(*) FILTER (WHERE 'ONLY_OWNER' = ANY (reasons)) AS only_owner
            FROM at_risk
        )
        SELECT total, no_codes, few_codes, codes_not_saved, only_owner, page.id AS staff_id, email, role,
            remaining AS backup_codes_remaining, reasons
        FROM counted LEFT JOIN (
            SELECT id, email, role, remaining, reasons FROM at_risk
            WHERE (email, id) > ($3, $4::uuid) ORDER BY email, id LIMIT $5
        ) AS page ON true
        ORDER BY email, staff_id
        """,
        account_id,
        FEW_CODES,
        *(after or BEFORE_ALL),
        limit,
    )
    counted = {reason: rows[0][reason.lower()] for reason in LockOutReason}
    names = ("staff_id", "email", "role", "backup_codes_remaining", "reasons")
    risks = [Risk(**{name: row[name] for name in names}) for row in rows if row["staff_id"] is not None]
    return Forecast(rows[0]["total"], counted, risks)


async def save_codes(connection: Connection, user_id: UUID) -> bool:
    """The person has said that the codes shown last are saved; false when that is known, or there are none."""
    status = await connection.execute(
        "UPDATE factors SET codes_saved_at = now() WHERE user_id = $1 AND codes_saved_at IS NULL", user_id
    )
    return status == "UPDATE 1"
