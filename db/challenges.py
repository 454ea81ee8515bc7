"""Challenges: between a right password and a session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

import asyncpg

import db.factors
import db.throttles
from db.factors import Factor
from db.pool import Connection
from rules.clients import Client
from rules.service_keys import BegunBy
from rules.throttling import (
    CHALLENGE_ATTEMPTS,
    CHALLENGE_LIFETIME,
    DAY,
    MOST_CHALLENGES,
    SECOND_FACTOR,
    SECOND_FACTOR_KEY,
    Charge,
)


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
    # When they showed a provider who they are; None where it was shown here, or a product.
    shown_at: datetime | None
    begun_by: BegunBy | None
    # As read with it, before any lock; None also where nobody asked.
    factor: Factor | None = None


PLAIN = [each.name for each in fields(Challenge) if each.name not in {"begun_by", "factor"}]


async def open_challenge(
    connection: Connection,
    user_id: UUID,
    token_hash: bytes,
    use_cookie: bool,
    amr: Sequence[str],
    client: Client,
    begun_by: BegunBy | None,
    place: str,
    shown_at: datetime | None = None,
) -> datetime:
    """Open a challenge, under the person's lock, in their oldest's stead if they have too many from the same `place`.

    Return when it ends. `client` is where the person is.
    """
    expires_at: datetime = await connection.fetchval(
        """
        WITH dropped AS (
            DELETE FROM challenges WHERE id IN (
                SELECT id FROM challenges WHERE user_id = $1 AND place = $12
                ORDER BY expires_at DESC, id OFFSET $8 - 1
            )
        )
        INSERT INTO challenges (user_id, token_hash, use_cookie, amr, user_agent, ip_address, expires_at,
            service_key, begun_by_key, begun_by_account, place, shown_at)
        VALUES ($1, $2, $3, $4, $5, $6, now() + $7::interval, $9, $10, $11, $12, $13)
        RETURNING expires_at
        """,
        user_id,
        token_hash,
        use_cookie,
        amr,
        client.user_agent,
        client.ip_address,
        CHALLENGE_LIFETIME,
        MOST_CHALLENGES,
        begun_by and begun_by.name,
        begun_by and begun_by.key_id,
        begun_by and begun_by.account_id,
        place,
        shown_at,
    )
    return expires_at


async def find(connection: Connection, token_hash: bytes) -> Challenge | None:
    """The challenge, uncharged; None when it is unknown, used, over or guessed at too often."""
    row = await connection.fetchrow(
        """
        SELECT id, user_id, use_cookie, attempts, amr, user_agent, ip_address, shown_at,
            service_key, begun_by_key, begun_by_account
        FROM challenges WHERE token_hash = $1 AND attempts < $2 AND expires_at > now()
        """,
        token_hash,
        CHALLENGE_ATTEMPTS,
    )
    return _challenge(row, None) if row else None


async def charge(connection: Connection, token_hash: bytes) -> tuple[Challenge, Charge | None] | None:
    """Charge one attempt to the challenge and to its person's code entry, and read the person's factor along.

    No second charge while the code entry is closed. None when the challenge is unknown, used, over or guessed at too
    often. The challenge's row is locked before the throttle's.
    """
    row = await connection.fetchrow(
        """
        WITH charged AS (
            UPDATE challenges SET attempts = attempts + 1
            WHERE token_hash = $1 AND attempts < $2 AND expires_at > now()
            RETURNING id, user_id, use_cookie, attempts, amr, user_agent, ip_address, shown_at,
                service_key, begun_by_key, begun_by_account
        ), counted AS (
            INSERT INTO throttles AS throttle (key, failures) SELECT $3 || user_id, ARRAY[now()] FROM charged
            ON CONFLICT (key) DO UPDATE
            SET failures = one_more(throttle.failures, $7), updated_at = now()
            WHERE NOT EXISTS (
                SELECT FROM unnest($4::int[], $5::interval[], $6::bool[]) AS window_(n, span, locks)
                WHERE closed_until(throttle.failures, n, span, locks) > now()
            )
            RETURNING key, (
                SELECT min(n - (SELECT count(*) FROM unnest(throttle.failures) AS f WHERE f > now() - span))
                FROM unnest($4::int[], $5::interval[]) AS window_(n, span)
            ) AS remaining, (
                SELECT count(*) FROM unnest(throttle.failures) AS f WHERE f > now() - $8::interval
            ) AS count
        )
        SELECT charged.*, clock_timestamp() AS now, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id,
            now() AS charged_at, counted.*
        FROM charged LEFT JOIN counted ON true LEFT JOIN factors ON factors.user_id = charged.user_id
        """,
        token_hash,
        CHALLENGE_ATTEMPTS,
        SECOND_FACTOR_KEY,
        *db.throttles.windows(SECOND_FACTOR),
        db.throttles.KEEP_FAILURES,
        DAY,
    )
    if row is None:
        return None
    factor = db.factors.factor_from(row) if row["secret_sealed"] is not None else None
    challenge = _challenge(row, factor)
    if row["remaining"] is None:
        return challenge, None
    return challenge, Charge((row["key"],), row["charged_at"], max(0, row["remaining"]), row["count"])


async def give_back(connection: Connection, challenge_id: UUID) -> None:
    """Give one attempt back: nobody looked at it."""
    await connection.execute("UPDATE challenges SET attempts = attempts - 1 WHERE id = $1", challenge_id)


async def drop_all(connection: Connection, user_id: UUID) -> None:
    """End every open challenge of the person."""
    await connection.execute("DELETE FROM challenges WHERE user_id = $1", user_id)


def _challenge(row: asyncpg.Record, factor: Factor | None) -> Challenge:
    name = row["service_key"]
    begun_by = BegunBy(name, row["begun_by_key"], row["begun_by_account"]) if name is not None else None
    return Challenge(**{name: row[name] for name in PLAIN}, begun_by=begun_by, factor=factor)
