"""Service keys: made, listed and revoked by operators, each with its event."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from uuid import UUID

import db.given
import db.outbox
import db.service_keys
import db.users
import resolvers.operators.finding
import rules.tokens
from db.pool import Connection, Database
from db.service_keys import Listed
from resolvers.operators.finding import OperatorError
from rules.events.staff import ServiceKeyCreated, ServiceKeyRevoked, ServiceKeySessionsEnded
from rules.failures import ServiceUnavailable
from rules.service_keys import Right


@dataclass(frozen=True)
class Revoked:
    """A key that is gone, and how many sessions that it had begun; None where they go on.

    And whose factor was set up through it since it was made, which may be that of whoever had the key; where only a
    name is known, through any key of that.
    """

    name: str
    ended: int | None
    set_up: tuple[str, ...] = ()


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


async def revoke(database: Database, wanted: str, ends: bool | None) -> Revoked:
    """End the key with this id, or the only one with this name, at once. Raises OperatorError.

    What it has begun ends with it if `ends`; where that is not said, unless another key is there in its place. With it
    the id of a key that is revoked already may be given, too, and of what the version before began its name.
    """
    async with database.transaction() as connection:
        keys = await db.service_keys.listed(connection)
        found = [key for key in keys if wanted.lower() == str(key.id)] or [key for key in keys if wanted == key.name]
        if len(found) > 1:
            raise OperatorError(f"{len(found)} service keys are named {wanted}: give the id of one.")
        if not found and ends and (late := await _end_late(connection, wanted)) is not None:
            return late
        if not found or await db.service_keys.revoke(connection, found[0].id) is None:
            raise OperatorError(f"There is no service key {wanted}.")
        key = found[0]
        if ends is None:
            ends = not any(_is_in_place_of(key, other) for other in keys)
        await db.outbox.append(connection, ServiceKeyRevoked(account_id=key.account_id, name=key.name))
    # For itself, since what it has begun is looked for among all events: however long that takes, the key is gone.
    if not ends:
        return Revoked(key.name, None)
    try:
        async with database.transaction() as connection:
            ended = await _end_begun(connection, key.id, key.name) or 0
            set_up = await db.service_keys.set_up_through(connection, key.id, key.name, key.created_at)
            return Revoked(key.name, ended, tuple(set_up))
    except ServiceUnavailable:
        raise OperatorError(
            f"{key.name} is revoked, but what it has begun has not ended: revoke {key.id} again with --end-sessions."
        ) from None


def _is_in_place_of(key: Listed, other: Listed) -> bool:
    same = (other.name, other.account_id) == (key.name, key.account_id)
    return same and other.id != key.id and Right.SIGN_IN in other.rights and not other.is_expired


async def _end_late(connection: Connection, wanted: str) -> Revoked | None:
    """What a key has begun that was revoked before, by its id or its name; None where there was nothing to end."""
    key_id = _id_from(wanted)
    name = await db.service_keys.name_of_revoked(connection, key_id) or wanted
    ended = await _end_begun(connection, key_id, wanted)
    if ended is None:
        return None
    return Revoked(wanted, ended, tuple(await db.service_keys.set_up_through(connection, key_id, name, None)))


async def _end_begun(connection: Connection, key_id: UUID | None, name: str) -> int | None:
    """How many sessions have ended; None where there was nothing to end, challenges included."""
    # The key is gone, so nothing more begins; each person's lock comes before their sessions, as everywhere.
    people = await db.service_keys.begun_for(connection, key_id, name)
    if not people:
        return None
    await db.given.lock(connection, people, with_invited=True)
    await db.given.take_back_all(connection, people, None)
    await db.given.revoke_all_invitations(connection, people)
    ended = await db.service_keys.end_begun(connection, key_id, name)
    told = ServiceKeySessionsEnded(account_id=ended.account_id, name=name, ended=ended.sessions)
    await db.outbox.append(connection, told)
    return ended.sessions


def _id_from(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
