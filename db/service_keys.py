"""Service keys: kept by the hash of their token, gone once revoked; and what their mutations were answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.pool import Connection
from rules.links import INVITATION
from rules.service_keys import ANSWER_LIFETIME, NOTED_EVERY, Right, ServiceKey


@dataclass(frozen=True)
class Listed:
    """A key as operators see it."""

    id: UUID
    name: str
    rights: list[str]
    account_id: UUID | None
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    is_expired: bool


async def create(
    connection: Connection,
    name: str,
    token_hash: bytes,
    rights: list[Right],
    account_id: UUID | None,
    expires_days: int | None,
) -> UUID:
    """A new key's id."""
    key_id: UUID = await connection.fetchval(
        """
        INSERT INTO service_keys (name, token_hash, rights, account_id, expires_at)
        VALUES ($1, $2, $3, $4, now() + make_interval(days => $5))
        RETURNING id
        """,
        name,
        token_hash,
        rights,
        account_id,
        expires_days,
    )
    return key_id


async def find(connection: Connection, token_hash: bytes) -> ServiceKey | None:
    """The live key with this token; notes its use, to the minute."""
    row = await connection.fetchrow(
        """
        WITH found AS (
            SELECT id, name, rights, account_id, last_used_at FROM service_keys
            WHERE token_hash = $1 AND (expires_at IS NULL OR expires_at > now())
        ), noted AS (
            UPDATE service_keys SET last_used_at = now() FROM found
            WHERE service_keys.id = found.id
                AND (found.last_used_at IS NULL OR found.last_used_at < now() - $2::interval)
        )
        SELECT id, name, rights, account_id FROM found
        """,
        token_hash,
        NOTED_EVERY,
    )
    return ServiceKey(row["id"], row["name"], frozenset(map(Right, row["rights"])), row["account_id"]) if row else None


async def hold(connection: Connection, key_id: UUID) -> bool:
    """Keep the key from being revoked before this transaction ends; false when it has been."""
    return bool(await connection.fetchval("SELECT true FROM service_keys WHERE id = $1 FOR KEY SHARE", key_id))


async def listed(connection: Connection) -> list[Listed]:
    """All keys, by name and age."""
    rows = await connection.fetch(
        """
        SELECT id, name, rights, account_id, created_at, last_used_at, expires_at,
            coalesce(expires_at <= now(), false) AS is_expired
        FROM service_keys ORDER BY name, created_at, id
        """
    )
    return [Listed(**row) for row in rows]


async def revoke(connection: Connection, key_id: UUID) -> tuple[str, UUID | None] | None:
    """Revoke a key; its name and account, None when there is none."""
    row = await connection.fetchrow("DELETE FROM service_keys WHERE id = $1 RETURNING name, account_id", key_id)
    return (row["name"], row["account_id"]) if row else None


async def note_set_up(connection: Connection, user_id: UUID, session_id: UUID) -> str | None:
    """Note through which key the person's factor has just been set up or moved; its name, None where through none.

    That is the key that has begun the session; of one that the version before began, while the key is there.
    """
    name: str | None = await connection.fetchval(
        """
        WITH noted AS (
            UPDATE factors SET set_up_by_key = (SELECT begun_by_key FROM sessions WHERE id = $2) WHERE user_id = $1
        )
        SELECT coalesce(service_key, service_keys.name)
        FROM sessions LEFT JOIN service_keys ON service_keys.id = begun_by_key WHERE sessions.id = $2
        """,
        user_id,
        session_id,
    )
    return name


async def name_of_revoked(connection: Connection, key_id: UUID | None) -> str | None:
    """What a key was called that is gone, as far as something that it has begun has not ended."""
    name: str | None = await connection.fetchval(
        """
        SELECT service_key FROM sessions WHERE begun_by_key = $1 AND service_key IS NOT NULL
        UNION SELECT service_key FROM challenges WHERE begun_by_key = $1 AND service_key IS NOT NULL
        LIMIT 1
        """,
        key_id,
    )
    return name


async def set_up_through(connection: Connection, key_id: UUID | None, name: str, since: datetime | None) -> list[str]:
    """The emails of those whose factor was set up, or moved to, through this key of the name, since then or ever.

    Without an id through any of the name: of those in sessions of the version before, that is all that is known.
    """
    rows = await connection.fetch(
        """
        SELECT DISTINCT users.email
        FROM events JOIN users ON users.id = subject_id JOIN factors ON factors.user_id = users.id
        WHERE service_key = $1 AND type IN ('MFA_ENABLED', 'AUTHENTICATOR_REPLACED')
            AND ($2::timestamptz IS NULL OR occurred_at >= $2)
            AND ($3::uuid IS NULL OR coalesce(set_up_by_key, $3) = $3)
            -- who has one of their own since needs no other
            AND NOT EXISTS (SELECT FROM events AS later
                WHERE later.subject_id = events.subject_id AND later.id > events.id
                    AND later.type IN ('MFA_ENABLED', 'AUTHENTICATOR_REPLACED')
                    AND later.service_key IS DISTINCT FROM $1)
        ORDER BY users.email
        """,
        name,
        since,
        key_id,
    )
    return [row["email"] for row in rows]


async def begun_for(connection: Connection, key_id: UUID | None, name: str) -> list[UUID]:
    """Whom the key has begun something for that has not ended; of the version before, any key of the name.

    And whoever came by it within a week, has signed out since, and has given or asked for what may still hold.
    """
    rows = await connection.fetch(
        """
        SELECT user_id FROM sessions WHERE begun_by_key = $1
        UNION SELECT user_id FROM challenges WHERE begun_by_key = $1 OR begun_by_key IS NULL AND service_key = $2
        UNION SELECT user_id FROM begun_before($2)
        UNION SELECT user_id FROM (
            SELECT issuer_id FROM recovery_passes UNION SELECT pass_issuer FROM sessions WHERE pass_issuer IS NOT NULL
            UNION SELECT requester_id FROM reset_requests
            UNION SELECT invited_by FROM staff WHERE invited_at IS NOT NULL
        ) AS given (user_id)
        WHERE EXISTS (SELECT FROM events
            WHERE subject_id = given.user_id AND service_key = $2 AND occurred_at > now() - $3::interval
                AND type IN ('SIGN_IN_SUCCEEDED', 'RECOVERY_PASS_USED'))
        """,
        key_id,
        name,
        INVITATION.lifetime,
    )
    return [row["user_id"] for row in rows]


@dataclass(frozen=True)
class Ended:
    """How many sessions have ended that a key had begun, and the one account that the key was for."""

    sessions: int
    account_id: UUID | None


async def end_begun(connection: Connection, key_id: UUID | None, name: str) -> Ended:
    """End what the key has begun, under these people's locks."""
    row = await connection.fetchrow(
        """
        WITH challenged AS (
            DELETE FROM challenges WHERE begun_by_key = $1 OR begun_by_key IS NULL AND service_key = $2
            RETURNING begun_by_account
        ), ended AS (
            DELETE FROM sessions WHERE begun_by_key = $1 OR id IN (SELECT session_id FROM begun_before($2))
            RETURNING begun_by_account, expires_at
        )
        SELECT (SELECT count(*) FROM ended WHERE expires_at > now()) AS sessions,
            (SELECT begun_by_account FROM ended UNION SELECT begun_by_account FROM challenged
                ORDER BY begun_by_account LIMIT 1) AS account_id
        """,
        key_id,
        name,
    )
    assert row is not None
    return Ended(**row)


async def claim_answer(connection: Connection, scope: str, idempotency_key: str, input_hash: bytes) -> bool:
    """Whether this input is new under the key: until the transaction ends, whoever else comes with it waits."""
    claimed = await connection.fetchval(
        """
        INSERT INTO service_answers AS kept (scope, idempotency_key, input_hash) VALUES ($1, $2, $3)
        ON CONFLICT (scope, idempotency_key) DO UPDATE
        SET input_hash = excluded.input_hash, answer = NULL, created_at = now()
        WHERE kept.created_at < now() - $4::interval
        RETURNING true
        """,
        scope,
        idempotency_key,
        input_hash,
        ANSWER_LIFETIME,
    )
    return bool(claimed)


async def answer(connection: Connection, scope: str, idempotency_key: str, input_hash: bytes) -> dict[str, Any] | None:
    """What this very input was answered; None when the key came with another."""
    found: dict[str, Any] | None = await connection.fetchval(
        "SELECT answer FROM service_answers WHERE scope = $1 AND idempotency_key = $2 AND input_hash = $3",
        scope,
        idempotency_key,
        input_hash,
    )
    return found


async def keep_answer(connection: Connection, scope: str, idempotency_key: str, given: dict[str, Any]) -> None:
    """Keep what the input was answered."""
    await connection.execute(
        "UPDATE service_answers SET answer = $3 WHERE scope = $1 AND idempotency_key = $2",
        scope,
        idempotency_key,
        given,
    )
