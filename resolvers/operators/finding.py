"""Whom and what an operator means, or one plain sentence why there is no such thing."""

from __future__ import annotations

from uuid import UUID

import db.memberships
import db.operators
import db.policy
from db.pool import Connection


class OperatorError(Exception):
    """The command cannot be done; the message is one plain sentence."""


async def keep_account(connection: Connection, account_id: UUID) -> None:
    """Let the account and its policy stay as they are until the end. Raises OperatorError when there is none."""
    if not await db.operators.keep_account(connection, account_id):
        raise _no_account(account_id)


async def lock_account(connection: Connection, account_id: UUID) -> None:
    """Be alone in changing the account: two owners leaving at once queue here. Raises OperatorError."""
    if await db.policy.lock(connection, account_id) is None:
        raise _no_account(account_id)


async def person(connection: Connection, email: str) -> UUID:
    """The id of whoever signs in with `email`. Raises OperatorError when nobody does."""
    user_id = await db.memberships.user_id_of(connection, email)
    if user_id is None:
        raise OperatorError(f"Nobody signs in with {email}.")
    return user_id


def _no_account(account_id: UUID) -> OperatorError:
    return OperatorError(f"There is no account with the id {account_id}.")
