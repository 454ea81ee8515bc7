"""Key rotation: what each key is still needed for, and moving every TOTP secret under the newest."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import db.keys
import db.users
from db.keys import Move, Usage
from db.pool import Connection, Database
from rules.sealed import NONCE_BYTES, KeyMissingError, Sealed
from rules.sealing import KeyRing
from rules.totp import TOTP_PURPOSE
from rules.webhooks import SECRET_PURPOSE

BATCH = 500


@dataclass
class Resealed:
    """What came of a run: secrets moved, and by key id how many do not open."""

    moved: int = 0
    shut: Counter[str] = field(default_factory=Counter)


async def usage(database: Database) -> list[Usage]:
    """What depends on which key."""
    async with database.connection() as connection:
        return await db.keys.usage(connection)


async def reseal(database: Database, ring: KeyRing, progress: Callable[[int], None]) -> Resealed:
    """Move every secret under the newest key, a batch a transaction; `progress` is told of each batch's secrets.

    Interrupted at any point it may run again, and while people enroll, are reset and sign in.
    """
    resealed = Resealed()
    after = db.users.BEFORE_ALL
    while True:
        async with database.transaction() as connection:
            found = await db.keys.older_secrets(connection, ring.newest, after, BATCH)
            if not found:
                await _reseal_webhooks(connection, ring, resealed)
                return resealed
            await db.users.lock_all(connection, [user_id for user_id, _ in found])
            moves, shut = _moves(ring, found)
            moved = await db.keys.replace_secrets(connection, moves, ring.newest)
        resealed.moved += moved
        resealed.shut += shut
        after = found[-1][0]
        progress(len(found))


async def _reseal_webhooks(connection: Connection, ring: KeyRing, resealed: Resealed) -> None:
    for webhook_id, old in await db.keys.older_webhook_secrets(connection, ring.newest):
        try:
            secret = ring.open(old, SECRET_PURPOSE, webhook_id)
        except KeyMissingError:
            resealed.shut[old.key_id] += 1
            continue
        new = ring.seal(secret, SECRET_PURPOSE, webhook_id, secrets.token_bytes(NONCE_BYTES))
        await db.keys.replace_webhook_secret(connection, webhook_id, new)
        resealed.moved += 1


def _moves(ring: KeyRing, found: list[tuple[UUID, Sealed]]) -> tuple[list[Move], Counter[str]]:
    moves, shut = [], Counter[str]()
    for user_id, old in found:
        try:
            secret = ring.open(old, TOTP_PURPOSE, user_id)
        except KeyMissingError:
            shut[old.key_id] += 1
        else:
            new = ring.seal(secret, TOTP_PURPOSE, user_id, secrets.token_bytes(NONCE_BYTES))
            moves.append(Move(user_id, old.data, new.data))
    return moves, shut
