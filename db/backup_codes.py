"""Backup codes: a set of digests under one salt; a spent one is kept apart, until the set is replaced."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from db.factors import Spent
from db.pool import Connection


async def replace(connection: Connection, user_id: UUID, digests: list[bytes], salt: bytes, key_id: str) -> None:
    """Replace the whole set: every earlier code stops working with this transaction."""
    await connection.execute(
        """
        WITH shown AS (
            UPDATE factors SET backup_salt = $2, backup_key_id = $3, codes_shown_at = now(), codes_saved_at = NULL
            WHERE user_id = $1
        ), unspent AS (
            DELETE FROM backup_codes WHERE user_id = $1
        ), spent AS (
            DELETE FROM spent_backup_codes WHERE user_id = $1
        )
        INSERT INTO backup_codes (user_id, digest) SELECT $1, unnest($4::bytea[])
        """,
        user_id,
        salt,
        key_id,
        digests,
    )


@dataclass(frozen=True)
class SpentCode(Spent):
    """A backup code was spent, and so many are left."""

    remaining: int


async def spend(connection: Connection, user_id: UUID, digest: bytes) -> SpentCode | None:
    """Spend a code, and end an account recovery that waits; None when it is not one of the set."""
    row = await connection.fetchrow(
        """
        WITH spent AS (DELETE FROM backup_codes WHERE user_id = $1 AND digest = $2 RETURNING user_id, digest),
            kept AS (INSERT INTO spent_backup_codes (user_id, digest) SELECT user_id, digest FROM spent),
            stopped AS (
                DELETE FROM account_recoveries USING spent WHERE account_recoveries.user_id = spent.user_id
                RETURNING true
            )
        SELECT count(*) - 1 AS remaining, EXISTS (SELECT FROM stopped) AS was_recovering
        FROM backup_codes, (SELECT count(*) AS n FROM spent) AS s
        WHERE user_id = $1 AND s.n = 1
        HAVING count(*) > 0
        """,
        user_id,
        digest,
    )
    return SpentCode(**row) if row else None


async def is_spent(connection: Connection, user_id: UUID, digest: bytes) -> bool:
    """Whether it was a code of the set that holds, and is spent."""
    return bool(
        await connection.fetchval(
            "SELECT true FROM spent_backup_codes WHERE user_id = $1 AND digest = $2", user_id, digest
        )
    )
