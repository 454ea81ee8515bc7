"""Backup codes: making a set, and replacing it by a current code from the authenticator."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from uuid import UUID

import db.backup_codes
import db.outbox
import resolvers.access
import resolvers.guessing.codes
import resolvers.proof
import resolvers.second_factor
import rules.backup_codes
from db.pool import Connection
from resolvers.context import Context
from resolvers.hashing import Asker
from rules.events.mfa import BackupCodesRegenerated
from rules.failures import MfaNotEnabled
from rules.people import Person


@dataclass(frozen=True)
class CodeSet:
    """A new set: the codes to show once, and what is kept of them."""

    codes: list[str]
    digests: list[bytes]
    salt: bytes
    key_id: str


async def regenerate(context: Context, code: str) -> list[str]:
    """Replace the set by a current code.

    Raises what fresh_person_with_code raises, InvalidCode, MfaNotEnabled and TooManyAttempts.
    """
    person = await resolvers.access.fresh_person_with_code(context)
    if not person.mfa_enabled:
        raise MfaNotEnabled
    async with resolvers.guessing.codes.of_person(context, person.id) as guess:
        await _refuse_wrong(context, person, code)
        codes = await new_set(context, person.id)
        async with context.changing(person.id) as connection:
            await resolvers.access.lock_person(connection, person)
            spent = await resolvers.second_factor.spend_totp(context, connection, person.id, code)
            await db.outbox.append_all(connection, spent)
            await _replace(context, connection, person, codes)
            token = await resolvers.proof.keep_only_this_session(context, connection, person)
            await guess.give_back(connection)
    await context.go_on_as(token)
    return codes.codes


async def _replace(context: Context, connection: Connection, person: Person, codes: CodeSet) -> None:
    await db.backup_codes.replace(connection, person.id, codes.digests, codes.salt, codes.key_id)
    regenerated = BackupCodesRegenerated(subject_id=person.id, actor_id=person.id, client=context.client)
    await db.outbox.append(connection, regenerated)


async def new_set(context: Context, user_id: UUID) -> CodeSet:
    """Ten new codes and their digests."""
    ring, hasher = context.service.ring, context.service.hasher
    codes = rules.backup_codes.generate(secrets.randbelow)
    salt = secrets.token_bytes(rules.backup_codes.SALT_BYTES)
    asker = Asker(str(user_id))
    digests = await asyncio.gather(
        *(hasher.run(asker, rules.backup_codes.digest, ring, code, salt, ring.newest, hasher.cost) for code in codes)
    )
    return CodeSet(codes, list(digests), salt, ring.newest)


async def _refuse_wrong(context: Context, person: Person, code: str) -> None:
    # Looked at before the hashing of ten codes, which a wrong guess must not buy; decided only behind the lock.
    async with context.database.connection() as connection:
        factor = await resolvers.second_factor.load(connection, person.id)
    resolvers.second_factor.matching_step(context.service.ring, factor, person.id, code)
