"""An enrollment under way: a secret worth nothing until it is verified, for a short time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.pool import Connection
from rules.sealed import Sealed
from rules.totp import ENROLLMENT_LIFETIME


@dataclass(frozen=True)
class Enrollment:
    """An open enrollment and `now`, the database's clock when it was read."""

    now: datetime
    secret: Sealed


async def begin(connection: Connection, user_id: UUID, secret: Sealed) -> datetime:
    """Begin, replacing an unfinished enrollment; return when it ends."""
    expires_at: datetime = await connection.fetchval(
        """
        INSERT INTO enrollments (user_id, secret_sealed, secret_key_id, expires_at)
        VALUES ($1, $2, $3, now() + $4::interval)
        ON CONFLICT (user_id) DO UPDATE SET secret_sealed = excluded.secret_sealed,
            secret_key_id = excluded.secret_key_id, created_at = now(), expires_at = excluded.expires_at
        RETURNING expires_at
        """,
        user_id,
        secret.data,
        secret.key_id,
        ENROLLMENT_LIFETIME,
    )
    return expires_at


async def load(connection: Connection, user_id: UUID) -> Enrollment | None:
    """The person's open enrollment; None when there is none or its time is over."""
    row = await connection.fetchrow(
        """
        SELECT clock_timestamp() AS now, secret_sealed, secret_key_id FROM enrollments
        WHERE user_id = $1 AND expires_at > clock_timestamp()
        """,
        user_id,
    )
    return Enrollment(row["now"], Sealed(row["secret_sealed"], row["secret_key_id"])) if row else None


async def finish(connection: Connection, user_id: UUID) -> Sealed | None:
    """Close the open enrollment and return its secret; None when it was closed or is over."""
    row = await connection.fetchrow(
        """
        DELETE FROM enrollments WHERE user_id = $1 AND expires_at > clock_timestamp()
        RETURNING secret_sealed, secret_key_id
        """,
        user_id,
    )
    return Sealed(row["secret_sealed"], row["secret_key_id"]) if row else None


async def drop(connection: Connection, user_id: UUID) -> None:
    """Forget an unfinished enrollment."""
    await connection.execute("DELETE FROM enrollments WHERE user_id = $1", user_id)
