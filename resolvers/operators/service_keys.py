"""Service keys: made, listed and revoked by operators, each with its event."""

from __future__ import annotations

import secrets
from uuid import UUID

import db.outbox
import db.service_keys
import resolvers.operators.finding
import rules.tokens
from db.pool import Database
from db.service_keys import Listed
from resolvers.operators.finding import OperatorError
from rules.events.staff import ServiceKeyCreated, ServiceKeyRevoked
from rules.service_keys import Right


async def create(
    database: Database, name: str, rights: list[Right], account_id: UUID | None, expires_days: int | None
) -> tuple[UUID, str]:
    """A new key's id, and the key itself, which nobody can show again. Raises OperatorError."""
    token = rules.tokens.make(rules.tokens.SERVICE_PREFIX, secrets.token_bytes(rules.tokens.TOKEN_BYTES))
    token_hash = rules.tokens.digest(rules.tokens.SERVICE_PREFIX, token)
    assert token_hash is not None
    async with database.transaction() as connection:
        if account_id is not None:
            await resolvers.operators.finding.keep_account(connection, account_id)
        key_id = await db.service_keys.create(connection, name, token_hash, rights, account_id, expires_days)
        await db.outbox.append(
            connection, ServiceKeyCreated(account_id=account_id, name=name, rights=", ".join(rights))
        )
    return key_id, token


async def listed(database: Database) -> list[Listed]:
    """All keys that are not revoked, by name."""
    async with database.connection() as connection:
        return await db.service_keys.listed(connection)


async def revoke(database: Database, wanted: str) -> str:
    """End the key with this id, or the only one with this name, at once; its name. Raises OperatorError."""
    async with database.transaction() as connection:
        found = [key for key in await db.service_keys.listed(connection) if wanted.lower() == str(key.id)]
        found = found or [key for key in await db.service_keys.listed(connection) if wanted == key.name]
        if len(found) > 1:
            raise OperatorError(f"{len(found)} service keys are named {wanted}: give the id of one.")
        revoked = await db.service_keys.revoke(connection, found[0].id) if found else None
        if revoked is None:
            raise OperatorError(f"There is no service key {wanted}.")
        name, account_id = revoked
        await db.outbox.append(connection, ServiceKeyRevoked(account_id=account_id, name=name))
    return name
