"""Backup codes: making a set, and replacing it by a current code from the authenticator."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass

from db import backup_codes, outbox
from db.pool import Connection
from resolvers import access, guessing, proof, second_factor
from resolvers.context import Context
from rules import backup_codes as backup_code_rules
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
    """Replace the set by a current code. Raises InvalidCode, MfaNotEnabled, TooManyAttempts, and as fresh_person."""
    person = await access.fresh_person_with_code(context)
    if not person.mfa_enabled:
        raise MfaNotEnabled
    async with guessing.of_code(context, person.id) as guess:
        await _refuse_wrong(context, person, code)
        codes = await new_set(context)
        async with context.changing(person.id) as connection:
            await access.lock_person(connection, person)
            await second_factor.spend_totp(context, connection, person.id, code)
            await _replace(context, connection, person, codes)
            token = await proof.keep_only_this_session(context, connection, person)
            await guess.give_back(connection)
    await context.go_on_as(token)
    return codes.codes


async def _replace(context: Context, connection: Connection, person: Person, codes: CodeSet) -> None:
    await backup_codes.replace(connection, person.id, codes.digests, codes.salt, codes.key_id)
    regenerated = BackupCodesRegenerated(subject_id=person.id, actor_id=person.id, client=context.client)
    await outbox.append(connection, regenerated)


async def new_set(context: Context) -> CodeSet:
    """Ten new codes and their digests."""
    ring, hasher = context.service.ring, context.service.hasher
    codes = backup_code_rules.generate(secrets.randbelow)
    salt = secrets.token_bytes(backup_code_rules.SALT_BYTES)
    digests = await asyncio.gather(
        *(hasher.run(backup_code_rules.digest, ring, code, salt, ring.newest, hasher.cost) for code in codes)
    )
    return CodeSet(codes, list(digests), salt, ring.newest)


async def _refuse_wrong(context: Context, person: Person, code: str) -> None:
    # Looked at before the hashing of ten codes, which a wrong guess must not buy; decided only behind the lock.
    async with context.database.connection() as connection:
        factor = await second_factor.load(connection, person.id)
    second_factor.matching_step(context.service.ring, factor, person.id, code)
