"""The factor: the one authenticator of a sign-in. Its absence means that MFA is off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from db.pool import Connection
from rules.sealed import Sealed


@dataclass(frozen=True)
class Factor:
    """A factor and `now`, the database's clock when it was read."""

    now: datetime
    secret: Sealed
    last_step: int
    backup_salt: bytes
    backup_key_id: str


async def load(connection: Connection, user_id: UUID) -> Factor | None:
    """The person's factor; None when MFA is off."""
    row = await connection.fetchrow(
        """
        SELECT clock_timestamp() AS now, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id
        FROM factors WHERE user_id = $1
        """,
        user_id,
    )
    return factor_from(row) if row else None


def factor_from(row: asyncpg.Record) -> Factor:
    """A factor from a row with its columns and the time of reading them."""
    return Factor(
        now=row["now"],
        secret=Sealed(row["secret_sealed"], row["secret_key_id"]),
        last_step=row["last_step"],
        backup_salt=row["backup_salt"],
        backup_key_id=row["backup_key_id"],
    )


async def exists(connection: Connection, user_id: UUID) -> bool:
    """Whether MFA is on."""
    return bool(await connection.fetchval("SELECT true FROM factors WHERE user_id = $1", user_id))


async def enable(
    connection: Connection, user_id: UUID, secret: Sealed, step: int, backup_salt: bytes, backup_key_id: str
) -> bool:
    """Turn MFA on, `step` being spent, and lift a reset's demand; false when it is on already."""
    return bool(
        await connection.fetchval(
            """
            WITH enabled AS (
                INSERT INTO factors (user_id, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id)
                VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT (user_id) DO NOTHING
                RETURNING user_id
            )
            UPDATE users SET reenrollment_required_at = NULL FROM enabled WHERE users.id = enabled.user_id
            RETURNING true
            """,
            user_id,
            secret.data,
            secret.key_id,
            step,
            backup_salt,
            backup_key_id,
        )
    )


@dataclass(frozen=True)
class Brought:
    """A factor that a person brings along from elsewhere, without backup codes; `salt` is for those to come."""

    user_id: UUID
    secret: Sealed
    salt: bytes


async def bring(connection: Connection, brought: list[Brought]) -> None:
    """Turn MFA on for each of these new people."""
    await connection.execute(
        """
        INSERT INTO factors (user_id, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id)
        SELECT user_id, sealed, key_id, 0, salt, key_id
        FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::bytea[]) AS brought (user_id, sealed, key_id, salt)
        """,
        [one.user_id for one in brought],
        [one.secret.data for one in brought],
        [one.secret.key_id for one in brought],
        [one.salt for one in brought],
    )


@dataclass(frozen=True)
class Spent:
    """A code was spent, and with it ended what waited for whoever has lost it."""

    was_recovering: bool


async def spend_step(connection: Connection, user_id: UUID, step: int, *, is_sign_in: bool) -> Spent | None:
    """Spend a time step and every earlier one, and end an account recovery that waits; None when it is spent already.

    A sign-in by the app also lets the person's recovery pass hold no more, and ends the sessions that passes started.
    """
    row = await connection.fetchrow(
        """
        WITH spent AS (
            UPDATE factors SET last_step = $2 WHERE user_id = $1 AND last_step < $2 RETURNING user_id
        ), stopped AS (
            DELETE FROM account_recoveries USING spent WHERE account_recoveries.user_id = spent.user_id RETURNING true
        ), passes AS (
            DELETE FROM recovery_passes USING spent WHERE recovery_passes.user_id = spent.user_id AND $3
        ), ended AS (
            DELETE FROM sessions USING spent WHERE sessions.user_id = spent.user_id AND is_recovery AND $3
        )
        SELECT EXISTS (SELECT FROM stopped) AS was_recovering FROM spent
        """,
        user_id,
        step,
        is_sign_in,
    )
    return Spent(**row) if row else None


async def replace_secret(connection: Connection, user_id: UUID, secret: Sealed, step: int) -> bool:
    """Put another app's secret in place, `step` being spent; false when MFA is off."""
    status = await connection.execute(
        "UPDATE factors SET secret_sealed = $2, secret_key_id = $3, last_step = $4 WHERE user_id = $1",
        user_id,
        secret.data,
        secret.key_id,
        step,
    )
    return status == "UPDATE 1"


async def remove(connection: Connection, user_id: UUID) -> bool:
    """Turn MFA off, backup codes included; false when it was off."""
    status = await connection.execute("DELETE FROM factors WHERE user_id = $1", user_id)
    return status == "DELETE 1"


async def changed_since(connection: Connection, user_id: UUID, since: datetime, event_id: int) -> bool:
    """Whether the person's factor was set up since then, or moved or its backup codes replaced since this event."""
    found: bool = await connection.fetchval(
        """
        SELECT EXISTS (
            SELECT FROM factors WHERE user_id = $1 AND (enabled_at >= $2 OR EXISTS (
                SELECT FROM events WHERE subject_id = $1 AND id > $3
                    AND type IN ('AUTHENTICATOR_REPLACED', 'BACKUP_CODES_REGENERATED')))
        )
        """,
        user_id,
        since,
        event_id,
    )
    return found
