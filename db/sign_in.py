"""Signing in: how somebody stands who has shown a first factor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

import db.factors
from db.factors import Factor
from db.pool import Connection


@dataclass(frozen=True)
class Arrival:
    """Somebody who has shown a first factor, as they stand behind their lock at `now`, the database's clock."""

    now: datetime
    user_id: UUID
    email: str
    # They have nothing anywhere, and nobody's invitation, or a directory has made them inactive.
    is_shut_out: bool
    # They were reset, and enroll only by a link out of an email.
    needs_enrollment_link: bool
    # The accounts in which their exemption is marked as break-glass and holds.
    break_glass: list[UUID]
    factor: Factor | None


async def arrive(connection: Connection, user_id: UUID, password_hash: str | None = None) -> Arrival | None:
    """Take the person's lock and read behind it all that a sign-in asks about them.

    None when there is no such person, or the password that was checked is theirs no more.
    """
    return _from(await connection.fetchrow("SELECT * FROM arrive($1, $2, NULL)", user_id, password_hash))


async def answer(connection: Connection, user_id: UUID, challenge_id: UUID) -> Arrival | None:
    """Take the person's lock, use the challenge up and read the same.

    None when another request or a reset was first, or the challenge is over.
    """
    return _from(await connection.fetchrow("SELECT * FROM arrive($1, NULL, $2)", user_id, challenge_id))


def _from(row: asyncpg.Record | None) -> Arrival | None:
    if row is None:
        return None
    return Arrival(
        now=row["now"],
        user_id=row["user_id"],
        email=row["email"],
        is_shut_out=row["is_shut_out"],
        needs_enrollment_link=row["needs_enrollment_link"],
        break_glass=row["break_glass"],
        factor=db.factors.factor_from(row) if row["secret_sealed"] is not None else None,
    )
