"""Recovery passes, each in place of a lost second factor, and the sessions that they start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from db.pool import Connection
from rules.recovery import PASS_LIFETIME


@dataclass(frozen=True)
class Used:
    """A pass that was used up: in which account it was given, when, and by whom unless that was an operator."""

    account_id: UUID
    issuer_id: UUID | None
    given_at: datetime


async def give(
    connection: Connection, user_id: UUID, account_id: UUID, issuer_id: UUID | None, token_hash: bytes
) -> datetime | None:
    """Let the person have this pass, in an earlier one's place; return its end. None when they have no factor.

    It depends on whoever gave it, who is None for an operator's.
    """
    expires_at: datetime | None = await connection.fetchval(
        """
        INSERT INTO recovery_passes (user_id, account_id, issuer_id, token_hash, expires_at)
        SELECT user_id, $2, $3, $4, now() + $5::interval FROM factors WHERE user_id = $1
        ON CONFLICT (user_id) DO UPDATE SET account_id = excluded.account_id, issuer_id = excluded.issuer_id,
            token_hash = excluded.token_hash, expires_at = excluded.expires_at
        RETURNING expires_at
        """,
        user_id,
        account_id,
        issuer_id,
        token_hash,
        PASS_LIFETIME,
    )
    return expires_at


async def use(connection: Connection, user_id: UUID, token_hash: bytes) -> Used | None:
    """Use the person's pass up, under their lock. None when it does not hold.

    It holds as long as whoever gave it might do so still, unless that was an operator, and nobody has chosen meanwhile
    that a second one must approve what it stands for.
    """
    row = await connection.fetchrow(
        """
        DELETE FROM recovery_passes
        WHERE user_id = $1 AND token_hash = $2 AND expires_at > now()
            AND (issuer_id IS NULL OR may_reset(issuer_id, $1, account_id, expires_at - $3::interval))
            AND NOT EXISTS (SELECT FROM roles_to_reckon_with($1) AS held JOIN accounts ON accounts.id = held.account_id
                WHERE reset_needs_approval(reset_approval, role))
        RETURNING account_id, issuer_id, expires_at - $3::interval AS given_at
        """,
        user_id,
        token_hash,
        PASS_LIFETIME,
    )
    return Used(**row) if row else None


async def keep_giver(connection: Connection, session_id: UUID, used: Used) -> None:
    """Let the session that the pass has begun depend on whoever gave it."""
    await connection.execute(
        "UPDATE sessions SET pass_issuer = $2, pass_account = $3, pass_given_at = $4 WHERE id = $1",
        session_id,
        used.issuer_id,
        used.account_id,
        used.given_at,
    )


async def might_be_given(connection: Connection, session_id: UUID) -> bool:
    """Whether whoever gave the pass that has begun this session might give it still."""
    might: bool | None = await connection.fetchval(
        """
        SELECT pass_issuer IS NULL OR may_reset(pass_issuer, user_id, pass_account, pass_given_at)
        FROM sessions WHERE id = $1
        """,
        session_id,
    )
    return bool(might)


async def take_back(connection: Connection, issuer_ids: Sequence[UUID], since: datetime | None) -> None:
    """Let no pass hold that these people have given since then, or (None) ever."""
    await connection.execute(
        """
        DELETE FROM recovery_passes
        WHERE issuer_id = ANY ($1) AND ($2::timestamptz IS NULL OR expires_at - $3::interval >= $2)
        """,
        issuer_ids,
        since,
        PASS_LIFETIME,
    )


async def end_begun_by(connection: Connection, issuer_ids: Sequence[UUID], since: datetime | None) -> None:
    """End what was begun by passes that these people have given since then, or (None) ever, once none of them holds.

    To be called under the locks of db.given.lock: of a pass that is used meanwhile, after whoever uses it.
    """
    await connection.execute(
        "DELETE FROM sessions WHERE pass_issuer = ANY ($1) AND ($2::timestamptz IS NULL OR pass_given_at >= $2)",
        issuer_ids,
        since,
    )


async def complete_session(
    connection: Connection, user_id: UUID, session_id: UUID, amr: Sequence[str], lifetime: timedelta
) -> None:
    """The factor is replaced: the session goes on as one of a whole sign-in, and a pass holds no more."""
    await connection.execute(
        """
        WITH passes AS (DELETE FROM recovery_passes WHERE user_id = $1)
        UPDATE sessions SET is_recovery = false, amr = amr || $3::text[], expires_at = now() + $4::interval
        WHERE id = $2 AND is_recovery
        """,
        user_id,
        session_id,
        amr,
        lifetime,
    )
