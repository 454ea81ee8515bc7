"""Whom and what an operator means, or one plain sentence why there is no such thing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import db.memberships
import db.operators
import db.policy
from db.pool import Connection
from rules.failures import Outcome


class OperatorError(Exception):
    """The command cannot be done; the message is one plain sentence."""


@contextmanager
def plainly() -> Iterator[None]:
    """Let what a rule refuses end the command in the rule's own sentence."""
    try:
        yield
    except Outcome as error:
        raise OperatorError(error.message) from None


async def keep_account(connection: Connection, account_id: UUID) -> None:
    """Let the account and its policy stay as they are until the end. Raises OperatorError when there is none."""
    if not await db.operators.keep_account(connection, account_id):
        raise no_account(account_id)


async def lock_account(connection: Connection, account_id: UUID) -> None:
    """Be alone in changing the account: two owners leaving at once queue here. Raises OperatorError."""
    if await db.policy.lock(connection, account_id) is None:
        raise no_account(account_id)


async def person(connection: Connection, email: str) -> UUID:
    """The id of whoever signs in with `email`. Raises OperatorError when nobody does."""
    user_id = await db.memberships.user_id_of(connection, email)
    if user_id is None:
        raise OperatorError(f"Nobody signs in with {email}.")
    return user_id


async def member(connection: Connection, account_id: UUID, email: str) -> UUID:
    """The id of a staff member of the account. Raises OperatorError."""
    await keep_account(connection, account_id)
    user_id = await person(connection, email)
    if await db.memberships.role_of(connection, account_id, email) is None:
        raise not_staff(email)
    return user_id


def not_staff(*emails: str) -> OperatorError:
    """These have no role in the account."""
    return OperatorError(f"{', '.join(emails)} {'is' if len(emails) == 1 else 'are'} not staff of this account.")


def no_account(account_id: UUID) -> OperatorError:
    """No account has this id."""
    return OperatorError(f"There is no account with the id {account_id}.")
