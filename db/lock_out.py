"""The lock-out forecast of an account, and what is known of whether backup codes were saved."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from db.pool import Connection
from db.staff import BEFORE_ALL
from rules.backup_codes import COUNT
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

    Each number of codes left is an index range of its own, by email, that is read no further than the page goes. That
    nobody else could help an only owner counts beside another reason.
    """
    rows = await connection.fetch(
        """
        WITH owners AS (
            SELECT count(*) AS n FROM staff WHERE account_id = $1 AND role = 'OWNER' AND invited_at IS NULL
        ), counted AS (
            SELECT count(*) AS total, count(*) FILTER (WHERE codes_left = 0) AS no_codes,
                count(*) FILTER (WHERE codes_left BETWEEN 1 AND $2) AS few_codes,
                count(*) FILTER (WHERE codes_unsaved AND codes_left > 0) AS codes_not_saved,
                count(*) FILTER (WHERE role = 'OWNER' AND n = 1) AS only_owner
            FROM owners, (
                SELECT role, codes_left, codes_unsaved FROM staff
                WHERE account_id = $1 AND codes_unsaved AND codes_left >= 0
                UNION ALL
                SELECT role, codes_left, codes_unsaved FROM staff
                WHERE account_id = $1 AND NOT codes_unsaved AND codes_left <= $2
            ) AS at_risk
        ), page AS (
            SELECT found.* FROM (
                SELECT true AS unsaved, n FROM generate_series(0, $6::int) AS n
                UNION ALL
                SELECT false, n FROM generate_series(0, $2::int) AS n
            ) AS ranges, LATERAL (
                SELECT id, email, role, codes_left, codes_unsaved FROM staff
                WHERE account_id = $1 AND codes_unsaved = ranges.unsaved AND codes_left = ranges.n
                    AND (email, id) > ($3, $4::uuid)
                ORDER BY email, id LIMIT $5
            ) AS found
            ORDER BY email, id LIMIT $5
        )
        SELECT total, no_codes, few_codes, codes_not_saved, only_owner, page.id AS staff_id, email, role,
            codes_left AS backup_codes_remaining, array_remove(ARRAY[
                CASE WHEN codes_left = 0 THEN 'NO_CODES' WHEN codes_left <= $2 THEN 'FEW_CODES' END,
                CASE WHEN codes_unsaved AND codes_left > 0 THEN 'CODES_NOT_SAVED' END,
                CASE WHEN role = 'OWNER' AND n = 1 THEN 'ONLY_OWNER' END], NULL) AS reasons
        FROM counted, owners LEFT JOIN page ON true
        ORDER BY email, staff_id
        """,
        account_id,
        FEW_CODES,
        *(after or BEFORE_ALL),
        limit,
        COUNT,
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
