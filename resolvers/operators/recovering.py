"""People who have lost their phone, as an operator helps: passes, resets and recoveries that wait, who is at risk."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

import db.account_recovery
import db.lock_out
import db.outbox
import db.recovery
import db.resets
import db.staff
import db.users
import resolvers.operators.finding
import rules.standing
import rules.tokens
from db.account_recovery import Waiting
from db.lock_out import Forecast, Risk
from db.pool import Database
from db.resets import Request
from db.staff import Member
from resolvers.operators.finding import OperatorError
from rules.clients import NO_CLIENT
from rules.events.account_recovery import OPERATOR, AccountRecoveryStopped
from rules.events.recovery import RecoveryPassIssued
from rules.events.resets import MfaResetDeclined

PAGE = 500
GOES_ROUND_APPROVAL = (
    "Resets of {email} need a second owner or admin, and a recovery pass would go round them. What needs neither is "
    "`gatehouse mfa reset`."
)


async def give_pass(database: Database, account_id: UUID, email: str, reason: str) -> tuple[str, datetime]:
    """A recovery pass for a staff member, in an earlier one's place, and its end; they and the owners are emailed.

    Raises OperatorError, also where a second owner or admin must approve resets: redeeming it would be refused.
    """
    with resolvers.operators.finding.plainly():
        words = rules.standing.checked_reason(reason)
    token, token_hash = rules.tokens.issue(rules.tokens.RECOVERY_PREFIX, secrets.token_bytes(rules.tokens.TOKEN_BYTES))
    async with database.transaction() as connection:
        user_id = await resolvers.operators.finding.member(connection, account_id, email)
        await db.users.lock(connection, user_id)
        if await db.resets.needs_approval(connection, user_id):
            raise OperatorError(GOES_ROUND_APPROVAL.format(email=email))
        expires_at = await db.recovery.give(connection, user_id, account_id, None, token_hash)
        if expires_at is None:
            raise OperatorError(f"{email} has not set up MFA: the password is enough to sign in.")
        issued = RecoveryPassIssued(
            account_id=account_id,
            subject_id=user_id,
            subject_email=email,
            reason=words,
            until=expires_at,
            client=NO_CLIENT,
        )
        await db.outbox.append(connection, issued)
    return token, expires_at


async def resets(database: Database, account_id: UUID) -> list[tuple[Request, Member]]:
    """The account's resets that wait for a second owner or admin, with whom each is about. Raises OperatorError."""
    async with database.connection() as connection:
        await resolvers.operators.finding.keep_account(connection, account_id)
        found = await db.resets.waiting(connection, account_id=account_id)
        members = await db.staff.members(connection, account_id, [each.user_id for each in found])
    by_user = {member.user_id: member for member in members}
    return [(each, by_user[each.user_id]) for each in found if each.user_id in by_user]


async def decline_reset(database: Database, account_id: UUID, request_id: UUID) -> str:
    """Decline a reset that waits; return whose, who is emailed with the owners. Raises OperatorError."""
    over = OperatorError(f"No reset of this account with the id {request_id} waits.")
    async with database.transaction() as connection:
        await resolvers.operators.finding.keep_account(connection, account_id)
        waiting = await db.resets.waiting(connection, account_id=account_id, request_id=request_id)
        if not waiting:
            raise over
        (request,) = waiting
        await db.users.lock(connection, request.user_id)
        known = await db.users.credentials_of(connection, request.user_id)
        if known is None or not await db.resets.take(connection, request_id, to_approve=False):
            raise over
        declined = MfaResetDeclined(
            account_id=account_id,
            subject_id=request.user_id,
            client=NO_CLIENT,
            subject_email=known.email,
            requester_id=request.requester_id,
            requester_email=request.requester_email,
        )
        await db.outbox.append(connection, declined)
    return known.email


async def recoveries(database: Database, account_id: UUID) -> list[Waiting]:
    """Who of the account waits to come back alone, what ends first before the others. Raises OperatorError."""
    async with database.connection() as connection:
        await resolvers.operators.finding.keep_account(connection, account_id)
        return await db.account_recovery.of_account(connection, account_id)


async def stop_recovery(database: Database, account_id: UUID, email: str) -> None:
    """End what waits for a staff member; they are emailed. Raises OperatorError."""
    async with database.transaction() as connection:
        user_id = await resolvers.operators.finding.member(connection, account_id, email)
        await db.users.lock(connection, user_id)
        if not await db.account_recovery.stop(connection, user_id):
            raise OperatorError(f"{email} does not wait to come back alone.")
        await db.outbox.append(connection, AccountRecoveryStopped(subject_id=user_id, how=OPERATOR))


async def forecast(database: Database, account_id: UUID) -> tuple[Forecast, AsyncIterator[Risk]]:
    """How many could not come back today, and each of them by email. Raises OperatorError."""
    async with database.connection() as connection:
        await resolvers.operators.finding.keep_account(connection, account_id)
        first = await db.lock_out.forecast(connection, account_id, None, PAGE)
    return first, _risks(database, account_id, first)


async def _risks(database: Database, account_id: UUID, page: Forecast) -> AsyncIterator[Risk]:
    while page.risks:
        for risk in page.risks:
            yield risk
        last = page.risks[-1]
        async with database.connection() as connection:
            page = await db.lock_out.forecast(connection, account_id, (last.email, last.staff_id), PAGE)
