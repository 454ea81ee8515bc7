"""The yearly check-up: a code of the app, shown within a session for nothing but to know that it works."""

from __future__ import annotations

import db.outbox
import resolvers.access
import resolvers.guessing.codes
import resolvers.second_factor
from resolvers.context import Context
from rules.events.mfa import MfaProved
from rules.failures import MfaNotEnabled


async def prove(context: Context, code: str) -> None:
    """Show a code, which is spent. Raises InvalidCode, MfaNotEnabled and TooManyAttempts."""
    person = await context.person()
    if not person.mfa_enabled:
        raise MfaNotEnabled
    async with (
        resolvers.guessing.codes.of_person(context, person.id) as guess,
        context.changing(person.id) as connection,
    ):
        await resolvers.access.lock_person(connection, person)
        await resolvers.second_factor.spend_totp(context, connection, person.id, code)
        proved = MfaProved(subject_id=person.id, actor_id=person.id, client=context.client)
        await db.outbox.append(connection, proved)
        await guess.give_back(connection)
    await context.reload()
