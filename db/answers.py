"""Answers to mutations, kept under the keys that clients send: the database decides who executes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import asyncpg

from db.pool import Connection


@dataclass(frozen=True)
class Kept:
    """What stands at a place; `answer` is None while it is being made."""

    place: bytes
    input_hash: bytes
    key_id: str
    answer: bytes | None
    other_inputs: int


async def claim(
    connection: Connection,
    place: bytes,
    token_place: bytes | None,
    owner: str,
    most: int,
    input_hash: bytes,
    key_id: str,
    claimed_as: UUID,
    lease: timedelta,
    lifetime: timedelta,
) -> bool:
    """Be the one who executes; false when another is, or has, or when the owner has `most` keys already."""
    try:
        claimed = await connection.fetchval(
            """
            INSERT INTO idempotent_answers AS kept
                (place, token_place, owner, input_hash, key_id, claim, claimed_until)
            SELECT $1, $2, $3, $5, $6, $7, now() + $8::interval
            WHERE $4::int > (
                SELECT count(*) FROM (
                    SELECT FROM idempotent_answers WHERE owner = $3 AND created_at > now() - $9::interval LIMIT $4
                ) AS counted
            )
            ON CONFLICT (place) DO UPDATE
            SET token_place = $2, input_hash = $5, key_id = $6, claim = $7, claimed_until = now() + $8::interval,
                answer = NULL, other_inputs = 0, created_at = now()
            WHERE kept.created_at < now() - $9::interval OR (kept.answer IS NULL AND kept.claimed_until < now())
            RETURNING true
            """,
            place,
            token_place,
            owner,
            most,
            input_hash,
            key_id,
            claimed_as,
            lease,
            lifetime,
        )
    except asyncpg.UniqueViolationError:
        return False  # another came in the same moment: ON CONFLICT sees to one of the two places alone
    return bool(claimed)


async def find(
    connection: Connection, place: bytes | None, token_place: bytes | None, lifetime: timedelta
) -> Kept | None:
    """What is kept for the caller, by their session or by the token that the session had."""
    row = await connection.fetchrow(
        """
        SELECT place, input_hash, key_id, answer, other_inputs FROM idempotent_answers
        WHERE (place = $1 OR token_place = $2) AND created_at > now() - $3::interval
        """,
        place,
        token_place,
        lifetime,
    )
    return Kept(**row) if row else None


async def keep(connection: Connection, place: bytes, claimed_as: UUID, answer: bytes) -> bool:
    """Keep the answer, in the transaction of the change; false when another has taken over."""
    status = await connection.execute(
        "UPDATE idempotent_answers SET answer = $3 WHERE place = $1 AND claim = $2", place, claimed_as, answer
    )
    return status == "UPDATE 1"


async def release(connection: Connection, place: bytes, claimed_as: UUID) -> None:
    """Let the key be used again: nothing was changed."""
    await connection.execute(
        "DELETE FROM idempotent_answers WHERE place = $1 AND claim = $2 AND answer IS NULL", place, claimed_as
    )


async def count_other_input(connection: Connection, place: bytes) -> None:
    """The key came with other input."""
    await connection.execute("UPDATE idempotent_answers SET other_inputs = other_inputs + 1 WHERE place = $1", place)


async def prune(connection: Connection, lifetime: timedelta) -> None:
    """Delete what holds no more."""
    await connection.execute(
        """
        DELETE FROM idempotent_answers WHERE place IN (
            SELECT place FROM idempotent_answers WHERE created_at < now() - $1::interval FOR UPDATE SKIP LOCKED
        )
        """,
        lifetime,
    )
