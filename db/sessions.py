"""Sessions: kept by the hash of their token, 30 days at most, 7 when idle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.pool import Connection
from rules.clients import Client


@dataclass(frozen=True)
class Session:
    """A live session as its owner sees it."""

    id: UUID
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    user_agent: str | None
    ip_address: str | None


async def start(
    connection: Connection, user_id: UUID, token_hash: bytes, client: Client, amr: Sequence[str]
) -> datetime:
    """Start a session of somebody just recognised by `amr`; return when it ends at the latest."""
    expires_at: datetime = await connection.fetchval(
        """
        INSERT INTO sessions (user_id, token_hash, password_at, user_agent, ip_address, amr, expires_at)
        VALUES ($1, $2, now(), $3, $4, $5, now() + interval '30 days')
        RETURNING expires_at
        """,
        user_id,
        token_hash,
        client.user_agent,
        client.ip_address,
        amr,
    )
    return expires_at


async def is_live(connection: Connection, session_id: UUID) -> bool:
    """Whether the session still stands; asked again after taking the person's lock."""
    return bool(await connection.fetchval("SELECT true FROM sessions WHERE id = $1", session_id))


async def hold(connection: Connection, session_id: UUID) -> bool:
    """Keep the session from ending before this transaction does; false when it has ended."""
    held = await connection.fetchval("SELECT true FROM sessions WHERE id = $1 FOR KEY SHARE", session_id)
    return bool(held)


async def renew_password(connection: Connection, session_id: UUID) -> datetime | None:
    """The password was shown again: return that instant; None when the session has ended."""
    instant: datetime | None = await connection.fetchval(
        "UPDATE sessions SET password_at = now() WHERE id = $1 RETURNING password_at", session_id
    )
    return instant


async def end(connection: Connection, session_id: UUID) -> None:
    """End one session."""
    await connection.execute("DELETE FROM sessions WHERE id = $1", session_id)


async def end_of(connection: Connection, user_id: UUID, session_id: UUID) -> bool:
    """End one session of this person; false when there is none."""
    status = await connection.execute("DELETE FROM sessions WHERE id = $2 AND user_id = $1", user_id, session_id)
    return status == "DELETE 1"


async def end_all(connection: Connection, user_id: UUID) -> None:
    """End every session of the person."""
    await connection.execute("DELETE FROM sessions WHERE user_id = $1", user_id)


async def end_others(connection: Connection, user_id: UUID, session_id: UUID) -> int:
    """End every session of the person but this one; return how many live ones that were."""
    ended: int = await connection.fetchval(
        """
        WITH ended AS (
            DELETE FROM sessions WHERE user_id = $1 AND id <> $2 RETURNING expires_at, last_used_at
        )
        SELECT count(*) FROM ended WHERE expires_at > now() AND last_used_at > now() - interval '7 days'
        """,
        user_id,
        session_id,
    )
    return ended


async def live(connection: Connection, user_id: UUID, current: UUID) -> list[Session]:
    """The person's live sessions, newest use first; at most 100. The current one is in use now."""
    rows = await connection.fetch(
        """
        SELECT id, created_at, CASE WHEN id = $2 THEN now() ELSE last_used_at END AS last_used_at, expires_at,
            user_agent, ip_address
        FROM sessions
        WHERE user_id = $1 AND expires_at > now() AND last_used_at > now() - interval '7 days'
        ORDER BY last_used_at DESC, id LIMIT 100
        """,
        user_id,
        current,
    )
    return [Session(**row) for row in rows]
