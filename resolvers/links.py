"""The one-use links of emails, found and used up by whoever has their token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import db.given
import db.links
import db.throttles
import db.users
import rules.throttling
import rules.tokens
from db.links import Found
from db.pool import Connection
from resolvers.context import Context
from rules.failures import LinkExpired
from rules.links import REVOKING, Purpose


@asynccontextmanager
async def used_up(context: Context, token: str, purpose: Purpose) -> AsyncIterator[tuple[Connection, Found]]:
    """A transaction that has used the link up, under the lock of the person whom its email went to.

    Under those, too, that what was given in their name is taken back under: some links say that it was another.

    Raises LinkExpired and TooManyAttempts.
    """
    found = await find(context, token, purpose)
    async with context.changing(found.user_id) as connection:
        await db.given.lock(connection, [found.user_id], with_invited=purpose in REVOKING)
        if not await db.links.use(connection, found):
            raise LinkExpired
        yield connection, found


async def find(context: Context, token: str, purpose: Purpose, user_id: UUID | None = None) -> Found:
    """The link that holds, of this person if given. What belongs to none is charged to the address, and it alone.

    Raises LinkExpired and TooManyAttempts.
    """
    token_hash = rules.tokens.digest(rules.tokens.LINK_PREFIX, token)
    async with context.database.connection() as connection:
        found = await db.links.find(connection, token_hash, [purpose]) if token_hash else None
        if found is not None and user_id in {None, found.user_id}:
            return found
        key = rules.throttling.wrong_link_key(context.client.ip_address)
        await db.throttles.charge(connection, key, rules.throttling.WRONG_LINK)
    raise LinkExpired
