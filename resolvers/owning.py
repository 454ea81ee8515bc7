"""A change of what an account's owners alone decide."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import db.policy
import db.users
import resolvers.access
from db.pool import Connection
from resolvers.context import Context
from rules.failures import NotFound
from rules.people import Person


@asynccontextmanager
async def as_owner(context: Context, person: Person, account_id: UUID) -> AsyncIterator[Connection]:
    """A transaction with the account's lock, in which the person still owns it. Raises Unauthenticated, NotFound."""
    async with context.changing(account_id) as connection:
        if await db.policy.lock(connection, account_id) is None:
            raise NotFound
        # What they change may name them.
        await db.users.keep(connection, person.id)
        await resolvers.access.confirm_owner(connection, person, account_id)
        yield connection
