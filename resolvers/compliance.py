"""How an account complied with its own MFA requirement, at any past instant."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from db import compliance
from db.compliance import Compliance
from db.exceptions import MfaException
from resolvers import access
from resolvers.context import Context
from resolvers.standing import MOST_LISTED
from rules.failures import BadUserInput


async def at(context: Context, account_id: UUID, instant: datetime | None) -> tuple[Compliance, list[MfaException]]:
    """The counts, and the exceptions that held. Raises what viewed_account raises, and BadUserInput."""
    await access.viewed_account(context, account_id)
    async with context.database.connection() as connection:
        found = await compliance.at(connection, account_id, instant)
        if found is None:
            raise BadUserInput("at must lie between the account's beginning and now.")
        return found, await compliance.exceptions_at(connection, account_id, found.at, MOST_LISTED)
