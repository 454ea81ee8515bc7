"""The yearly check-up: a code of the app, shown within a session for nothing but to know that it works."""

from __future__ import annotations

import db.outbox
import resolvers.proof
from resolvers.context import Context
from rules.events.mfa import MfaProved


async def prove(context: Context, code: str) -> None:
    """Show a code, which is spent. Raises InvalidCode, MfaNotEnabled and TooManyAttempts."""
    person = await context.person()
    async with resolvers.proof.app_shown(context, person, code) as connection:
        proved = MfaProved(subject_id=person.id, actor_id=person.id, client=context.client)
        await db.outbox.append(connection, proved)
    await context.reload()
