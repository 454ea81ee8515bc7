"""Which ring keys are still needed, and the secrets under older ones, moved under the newest."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from db.pool import Connection
from rules.sealed import Sealed


@dataclass(frozen=True)
class Move:
    """One person's secret: as it is stored, and as it is to be."""

    user_id: UUID
    old: bytes
    new: bytes


@dataclass(frozen=True)
class Usage:
    """What depends on one key: factors, open enrollments, sets of backup codes, and secrets of webhooks."""

    key_id: str
    factors: int
    enrollments: int
    backup_code_sets: int
    webhooks: int = 0


async def usage(connection: Connection) -> list[Usage]:
    """Every key that something depends on, by id."""
    rows = await connection.fetch(
        """
        SELECT key_id, count(*) FILTER (WHERE kind = 'factor') AS factors,
            count(*) FILTER (WHERE kind = 'enrollment') AS enrollments,
            count(*) FILTER (WHERE kind = 'backup codes') AS backup_code_sets,
            count(*) FILTER (WHERE kind = 'webhook') AS webhooks
        FROM (
            SELECT 'factor' AS kind, secret_key_id AS key_id FROM factors
            UNION ALL SELECT 'backup codes', backup_key_id FROM factors
            UNION ALL SELECT 'webhook', secret_key_id FROM webhooks WHERE removed_at IS NULL
            UNION ALL SELECT 'webhook', previous_key_id FROM webhooks
                WHERE removed_at IS NULL AND previous_until > clock_timestamp()
            UNION ALL SELECT 'enrollment', secret_key_id FROM enrollments WHERE expires_at > clock_timestamp()
        ) AS uses
        GROUP BY key_id ORDER BY key_id
        """
    )
    return [Usage(**row) for row in rows]


# Both step from one key to the next, by an index: however much depends on a key, it is looked at once.


async def samples(connection: Connection) -> list[tuple[UUID, Sealed]]:
    """One person's secret under each of the keys that seal a factor."""
    rows = await connection.fetch(
        """
        WITH RECURSIVE found AS (
            (SELECT user_id, secret_sealed, secret_key_id FROM factors ORDER BY secret_key_id LIMIT 1)
            UNION ALL
            SELECT following.* FROM found, LATERAL (
                SELECT user_id, secret_sealed, secret_key_id FROM factors
                WHERE secret_key_id > found.secret_key_id ORDER BY secret_key_id LIMIT 1
            ) AS following
        )
        SELECT user_id, secret_sealed, secret_key_id FROM found
        """
    )
    return [(row["user_id"], Sealed(row["secret_sealed"], row["secret_key_id"])) for row in rows]


async def others_in_use(connection: Connection) -> list[str]:
    """The keys that anything else than the secret of a factor depends on."""
    rows = await connection.fetch(
        """
        WITH RECURSIVE found AS (
            (SELECT backup_key_id FROM factors ORDER BY backup_key_id LIMIT 1)
            UNION ALL
            SELECT following.* FROM found, LATERAL (
                SELECT backup_key_id FROM factors
                WHERE backup_key_id > found.backup_key_id ORDER BY backup_key_id LIMIT 1
            ) AS following
        )
        SELECT backup_key_id AS key_id FROM found
        UNION SELECT secret_key_id FROM webhooks WHERE removed_at IS NULL
        UNION SELECT previous_key_id FROM webhooks WHERE removed_at IS NULL AND previous_until > clock_timestamp()
        UNION SELECT secret_key_id FROM enrollments WHERE expires_at > clock_timestamp()
        """
    )
    return [row["key_id"] for row in rows]


async def older_secrets(connection: Connection, newest: str, after: UUID, limit: int) -> list[tuple[UUID, Sealed]]:
    """The next people's secrets, by person, that another key than `newest` seals; all of a person or none."""
    rows = await connection.fetch(
        """
        SELECT user_id, secret_sealed, secret_key_id
        FROM (
            SELECT user_id, secret_sealed, secret_key_id FROM factors
            UNION ALL
            SELECT user_id, secret_sealed, secret_key_id FROM enrollments WHERE expires_at > clock_timestamp()
        ) AS secrets
        WHERE secret_key_id <> $1 AND user_id > $2
        ORDER BY user_id FETCH FIRST ($3::bigint) ROWS WITH TIES
        """,
        newest,
        after,
        limit,
    )
    return [(row["user_id"], Sealed(row["secret_sealed"], row["secret_key_id"])) for row in rows]


async def replace_secrets(connection: Connection, moves: list[Move], key_id: str) -> int:
    """Put each secret, sealed anew under `key_id`, where the old one still is; return how many there were.

    A secret may have moved from the enrollment to the factor meanwhile; one that is gone or replaced stays so.
    """
    replaced: int = await connection.fetchval(
        """
        WITH given AS (
            SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS given (user_id, old, new)
        ), in_factors AS (
            UPDATE factors SET secret_sealed = given.new, secret_key_id = $4 FROM given
            WHERE factors.user_id = given.user_id AND factors.secret_sealed = given.old
            RETURNING 1
        ), in_enrollments AS (
            UPDATE enrollments SET secret_sealed = given.new, secret_key_id = $4 FROM given
            WHERE enrollments.user_id = given.user_id AND enrollments.secret_sealed = given.old
            RETURNING 1
        )
        SELECT (SELECT count(*) FROM in_factors) + (SELECT count(*) FROM in_enrollments)
        """,
        [move.user_id for move in moves],
        [move.old for move in moves],
        [move.new for move in moves],
        key_id,
    )
    return replaced


async def older_webhook_secrets(connection: Connection, newest: str) -> list[tuple[UUID, Sealed]]:
    """The secrets of webhooks that another key than `newest` seals, locked."""
    rows = await connection.fetch(
        """
        SELECT id, secret_sealed, secret_key_id FROM webhooks
        WHERE secret_key_id <> $1 AND removed_at IS NULL ORDER BY id FOR NO KEY UPDATE
        """,
        newest,
    )
    return [(row["id"], Sealed(row["secret_sealed"], row["secret_key_id"])) for row in rows]


async def replace_webhook_secret(connection: Connection, webhook_id: UUID, secret: Sealed) -> None:
    """Put a webhook's secret, sealed anew, in its place."""
    await connection.execute(
        "UPDATE webhooks SET secret_sealed = $2, secret_key_id = $3 WHERE id = $1",
        webhook_id,
        secret.data,
        secret.key_id,
    )
