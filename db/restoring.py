"""What a database out of a backup lets hold that may have ended since."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from db.pool import Connection
from db.resets import Ended

LONGEST_S = 600  # over all people, while nothing else runs


@dataclass(frozen=True)
class Counts:
    """How many of each."""

    sessions: int
    challenges: int
    links: int
    passes: int


async def end_all(connection: Connection) -> Counts:
    """End every session, challenge, link and recovery pass, and let no device be known by its cookie any more."""
    await connection.execute(f"SET LOCAL statement_timeout = '{LONGEST_S}s'")
    row = await connection.fetchrow(
        """
        WITH forgotten AS (
            UPDATE users SET devices_forgotten_at = clock_timestamp()
            -- whoever has never signed in has no device to be told of, and the first is none
            WHERE EXISTS (SELECT FROM seen_devices WHERE user_id = users.id)
        ), sessions AS (
            DELETE FROM sessions RETURNING id
        ), challenges AS (
            DELETE FROM challenges RETURNING id
        ), links AS (
            UPDATE links SET used_at = now() WHERE used_at IS NULL AND expires_at > now() RETURNING purpose
        ), passes AS (
            DELETE FROM recovery_passes RETURNING user_id
        )
        SELECT (SELECT count(*) FROM sessions) AS sessions, (SELECT count(*) FROM challenges) AS challenges,
            (SELECT count(*) FROM links) AS links, (SELECT count(*) FROM passes) AS passes
        """,
        timeout=LONGEST_S,
    )
    assert row is not None
    return Counts(**row)


async def stop_recoveries(connection: Connection) -> list[UUID]:
    """End every account recovery that waits; whose they were."""
    rows = await connection.fetch("DELETE FROM account_recoveries RETURNING user_id")
    return [row["user_id"] for row in rows]


async def end_resets(connection: Connection) -> list[Ended]:
    """End every reset that waits for a second owner or admin."""
    rows = await connection.fetch(
        """
        WITH ended AS (
            DELETE FROM reset_requests RETURNING account_id, user_id, requester_id, expires_at <= now() AS has_run_out
        )
        SELECT ended.*, users.email, requester.email AS requester_email
        FROM ended JOIN users ON users.id = user_id JOIN users AS requester ON requester.id = requester_id
        """
    )
    return [Ended(**row) for row in rows]
