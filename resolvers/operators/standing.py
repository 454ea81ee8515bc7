"""Exceptions from an account's MFA requirement, as an operator gives, lists and ends them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import db.compliance
import db.exceptions
import db.memberships
import db.outbox
import resolvers.joining
import resolvers.operators.finding
import resolvers.standing
import rules.standing
from db.compliance import Compliance
from db.exceptions import MfaException
from db.pool import Database
from resolvers.operators.finding import OperatorError
from resolvers.standing import MOST_LISTED, Asked
from rules.events.standing import MfaExceptionEnded
from rules.standing import MOST_AT_ONCE, ExceptionKind


@dataclass(frozen=True)
class Wanted:
    """An exception for these people of an account."""

    kind: ExceptionKind
    emails: tuple[str, ...]
    until: datetime
    reason: str
    is_break_glass: bool = False


async def give(database: Database, account_id: UUID, wanted: Wanted) -> list[MfaException]:
    """Give each of these the exception, or none of them anything; they and the owners are emailed.

    Raises OperatorError.
    """
    emails = sorted(set(wanted.emails))
    if len(emails) > MOST_AT_ONCE:
        raise OperatorError(f"Give {MOST_AT_ONCE} staff members at most at once.")
    async with database.transaction() as connection:
        await resolvers.operators.finding.lock_account(connection, account_id)
        ids = await db.memberships.staff_ids(connection, account_id, emails)
        if missing := [email for email in emails if email not in ids]:
            raise resolvers.operators.finding.not_staff(*missing)
        await db.exceptions.keep_people(connection, account_id, list(ids.values()))
        found = await db.exceptions.lock_members(connection, account_id, list(ids.values()))
        candidates = list(found.values())
        with resolvers.operators.finding.plainly():
            reason = rules.standing.checked_reason(wanted.reason)
            for candidate in candidates:
                rules.standing.check_end(wanted.until, candidate.now)
        asked = Asked(wanted.kind, list(found), wanted.until, reason, wanted.is_break_glass)
        _, made = await resolvers.standing.record(connection, account_id, candidates, asked, reason, None)
    return sorted(made.values(), key=lambda each: each.email)


async def listed(database: Database, account_id: UUID, *, with_ended: bool) -> list[MfaException]:
    """The account's newest 500 exceptions. Raises OperatorError."""
    async with database.connection() as connection:
        await resolvers.operators.finding.keep_account(connection, account_id)
        return await db.exceptions.listed(connection, account_id, None, with_ended=with_ended, limit=MOST_LISTED)


async def end(database: Database, account_id: UUID, exception_id: UUID) -> str:
    """End an exception before its time; return whose it was, who is emailed. Raises OperatorError."""
    async with database.transaction() as connection:
        await resolvers.operators.finding.lock_account(connection, account_id)
        user_id = await db.exceptions.end(connection, account_id, exception_id, None)
        if user_id is None:
            raise OperatorError(f"No exception of this account with the id {exception_id} holds.")
        await db.outbox.append(connection, MfaExceptionEnded(account_id=account_id, subject_id=user_id))
        await resolvers.joining.tell_excepted_no_more(connection, account_id, user_id)
        (ended,) = await db.exceptions.listed(connection, account_id, [exception_id], with_ended=True, limit=1)
    return ended.email


async def compliance(
    database: Database, account_id: UUID, instant: datetime | None
) -> tuple[Compliance, list[MfaException]]:
    """How the account complied at an instant, now when None, and the exceptions that held. Raises OperatorError."""
    async with database.connection() as connection:
        await resolvers.operators.finding.keep_account(connection, account_id)
        found = await db.compliance.at(connection, account_id, instant)
        if found is None:
            raise OperatorError("The instant must lie between the account's beginning and now.")
        return found, await db.compliance.exceptions_at(connection, account_id, found.at, MOST_LISTED)
