"""Backup codes: making a set, and replacing it by a current code from the authenticator."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from db import backup_codes, factors, outbox, throttles
from db.pool import Connection
from resolvers import access, second_factor
from resolvers.context import Context
from rules import backup_codes as backup_code_rules
from rules.events.mfa import BackupCodesRegenerated
from rules.failures import MfaNotEnabled, RateLimited
from rules.people import Person
from rules.throttling import Charge


@dataclass(frozen=True)
class CodeSet:
    """A new set: the codes to show once, and what is kept of them."""

    codes: list[str]
    digests: list[bytes]
    salt: bytes
    key_id: str


async def regenerate(context: Context, code: str) -> list[str]:
    """Replace the set by a current code. Raises InvalidCode, MfaNotEnabled, TooManyAttempts, and as fresh_person."""
    person = await access.fresh_person(context)
    if not person.mfa_enabled:
        raise MfaNotEnabled
    charged = await second_factor.charge(context.database, person.id, context.client)
    await _refuse_wrong(context, person, code, charged)
    async with second_factor.given_back_on(context.database, [charged], RateLimited):
        codes = await new_set(context)
    async with spend_totp(context, person, code, charged) as connection:
        await backup_codes.replace(connection, person.id, codes.digests, codes.salt, codes.key_id)
        await outbox.append(
            connection, BackupCodesRegenerated(subject_id=person.id, actor_id=person.id, client=context.client)
        )
    await context.reload()
    return codes.codes


async def new_set(context: Context) -> CodeSet:
    """Ten new codes and their digests."""
    ring, hasher = context.service.ring, context.service.hasher
    codes = backup_code_rules.generate(secrets.randbelow)
    salt = secrets.token_bytes(backup_code_rules.SALT_BYTES)
    digests = await asyncio.gather(
        *(hasher.run(backup_code_rules.digest, ring, code, salt, ring.newest) for code in codes)
    )
    return CodeSet(codes, list(digests), salt, ring.newest)


@asynccontextmanager
async def spend_totp(context: Context, person: Person, code: str, charged: Charge) -> AsyncIterator[Connection]:
    """A transaction that holds the person's lock and has spent `code`. A wrong one changes nothing: InvalidCode."""
    spent = False
    async with context.database.transaction() as connection:
        await access.lock_person(connection, person)
        factor = await factors.load(connection, person.id)
        if factor is None:
            raise MfaNotEnabled
        step = second_factor.matching_step(context.service.ring, factor, person.id, code)
        if step is not None and await factors.spend_step(connection, person.id, step):
            spent = True
            yield connection
            # Last, as everywhere: whoever answers a challenge holds it while waiting for the throttle.
            await throttles.refund(connection, charged)
    if not spent:
        raise await second_factor.wrong(context.database, person, charged, context.client, second_factor.WRONG_CODE)


async def _refuse_wrong(context: Context, person: Person, code: str, charged: Charge) -> None:
    # Looked at before the hashing of ten codes, which a wrong guess must not buy; decided only behind the lock.
    async with context.database.connection() as connection:
        factor = await factors.load(connection, person.id)
    if factor is None:
        raise MfaNotEnabled
    if second_factor.matching_step(context.service.ring, factor, person.id, code) is None:
        raise await second_factor.wrong(context.database, person, charged, context.client, second_factor.WRONG_CODE)
