"""Challenges: between a right password and a session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.pool import Connection
from rules.clients import Client
from rules.throttling import CHALLENGE_ATTEMPTS, CHALLENGE_LIFETIME


@dataclass(frozen=True)
class Challenge:
    """An open challenge; `attempts` counts the one just charged."""

    id: UUID
    user_id: UUID
    use_cookie: bool
    attempts: int
    amr: list[str]
    user_agent: str | None
    ip_address: str | None
    service_key: str | None


async def open_challenge(
    connection: Connection,
    user_id: UUID,
    token_hash: bytes,
    use_cookie: bool,
    amr: Sequence[str],
    client: Client,
    service_key: str | None,
) -> datetime:
    """Open a challenge; return when it ends. `client` is where the person is."""
    expires_at: datetime = await connection.fetchval(
        """
        INSERT INTO challenges (user_id, token_hash, use_cookie, amr, user_agent, ip_address, service_key, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, now() + $8::interval)
        RETURNING expires_at
        """,
        user_id,
        token_hash,
        use_cookie,
        amr,
        client.user_agent,
        client.ip_address,
        service_key,
        CHALLENGE_LIFETIME,
    )
    return expires_at


async def find(connection: Connection, token_hash: bytes) -> Challenge | None:
    """The challenge, uncharged; None when it is unknown, used, over or guessed at too often."""
    row = await connection.fetchrow(
        """
        SELECT id, user_id, use_cookie, attempts, amr, user_agent, ip_address, service_key FROM challenges
        WHERE token_hash = $1 AND attempts < $2 AND expires_at > now()
        """,
        token_hash,
        CHALLENGE_ATTEMPTS,
    )
    return Challenge(**row) if row else None


async def charge(connection: Connection, token_hash: bytes) -> Challenge | None:
    """Charge one attempt; None when the challenge is unknown, used, over or guessed at too often."""
    row = await connection.fetchrow(
        """
        UPDATE challenges SET attempts = attempts + 1
        WHERE token_hash = $1 AND attempts < $2 AND expires_at > now()
        RETURNING id, user_id, use_cookie, attempts, amr, user_agent, ip_address, service_key
        """,
        token_hash,
        CHALLENGE_ATTEMPTS,
    )
    return Challenge(**row) if row else None


async def give_back(connection: Connection, challenge_id: UUID) -> None:
    """Give one attempt back: nobody looked at it."""
    await connection.execute("UPDATE challenges SET attempts = attempts - 1 WHERE id = $1", challenge_id)


async def drop_oldest(connection: Connection, user_id: UUID, most: int) -> None:
    """Keep the person's `most` newest challenges, under their lock."""
    await connection.execute(
        """
        DELETE FROM challenges WHERE id IN (
            SELECT id FROM challenges WHERE user_id = $1 ORDER BY expires_at DESC, id OFFSET $2
        )
        """,
        user_id,
        most,
    )


async def consume(connection: Connection, challenge_id: UUID) -> bool:
    """Use the challenge up; false when another request or a reset was first, or it is over."""
    status = await connection.execute("DELETE FROM challenges WHERE id = $1 AND expires_at > now()", challenge_id)
    return status == "DELETE 1"


async def drop_all(connection: Connection, user_id: UUID) -> None:
    """End every open challenge of the person."""
    await connection.execute("DELETE FROM challenges WHERE user_id = $1", user_id)
