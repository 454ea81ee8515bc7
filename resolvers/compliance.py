"""How an account complied with its own MFA requirement, at any past instant."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import db.compliance
import resolvers.access
from db.compliance import Compliance
from db.exceptions import MfaException
from resolvers.context import Context
from resolvers.standing import MOST_LISTED
from rules.failures import BadUserInput


async def at(context: Context, account_id: UUID, instant: datetime | None) -> tuple[Compliance, list[MfaException]]:
    """The counts, and the exceptions that held. Raises what viewed_account raises, and BadUserInput."""
    await resolvers.access.viewed_account(context, account_id)
    async with context.database.connection() as connection:
        found = await db.compliance.at(connection, account_id, instant)
        if found is None:
            raise BadUserInput("at must lie between the account's beginning and now.")
        return found, await db.compliance.exceptions_at(connection, account_id, found.at, MOST_LISTED)
