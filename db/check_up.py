"""The yearly check-up: whose app has shown no code for a year, found without a look at everybody."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from db.pool import Connection
from rules.check_up import CHECK_UP_EVERY
from rules.totp import STEP_S

AT_ONCE = 500


@dataclass(frozen=True)
class LookedAt:
    """Whose year is over, and whether they are to be asked: their app has shown no code in it."""

    user_id: UUID
    is_due: bool


async def look(connection: Connection) -> list[LookedAt]:
    """Look at up to 500 people whose year is over, each in one worker; the next one counts from here.

    From the last code, where there was one: so somebody is asked a year after it, and once a year.
    """
    rows = await connection.fetch(
        """
        WITH over AS (
            SELECT user_id, greatest(enabled_at, to_timestamp(last_step * $2::int)) AS proved_at,
                now() - $1::interval AS since
            FROM factors WHERE coalesce(checked_up_at, enabled_at) <= now() - $1::interval
            ORDER BY coalesce(checked_up_at, enabled_at) LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED
        )
        UPDATE factors SET checked_up_at = CASE WHEN proved_at <= since THEN now() ELSE proved_at END
        FROM over JOIN users ON users.id = user_id
        WHERE factors.user_id = over.user_id
        RETURNING factors.user_id, proved_at <= since AND (is_super_admin
            OR EXISTS (SELECT FROM staff WHERE staff.user_id = over.user_id AND invited_at IS NULL)) AS is_due
        """,
        CHECK_UP_EVERY,
        STEP_S,
        AT_ONCE,
    )
    return [LookedAt(**row) for row in rows]
