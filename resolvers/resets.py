"""Resetting whoever is locked out; where an account asks for it, once a second owner or admin has approved."""

from __future__ import annotations

from uuid import UUID

import db.given
import db.outbox
import db.person_reset
import db.resets
import db.staff
import resolvers.access
import resolvers.links
import resolvers.staff
import rules.standing
from db.pool import Connection
from db.resets import Request
from db.staff import Member
from resolvers.context import Context
from rules.events.mfa import MfaReset
from rules.events.resets import MfaResetDeclined, MfaResetRequested, MfaResetStopped
from rules.failures import LinkExpired, MfaResetEnded, NotFound, NotPermitted, StaffMfaNotEnabled
from rules.links import Purpose
from rules.people import Person
from rules.resets import NOT_ABOUT_ONESELF, NOT_ONES_OWN, NOT_TOLD_YET, REQUEST_LIFETIME

NOT_ONESELF = "You cannot reset your own MFA. Another owner or admin can."


async def reset(context: Context, account_id: UUID, staff_id: UUID, reason: str | None) -> Member | Request:
    """Take a staff member's factor and every session away, so that they enroll anew; they are emailed.

    Where a second one must approve, the reset waits for that. Raises what managed_account raises, InvalidInput,
    NotFound, NotPermitted (oneself, or may_reset) and StaffMfaNotEnabled.
    """
    person, _ = await resolvers.access.managed_account(context, account_id, to="reset MFA")
    resolvers.access.require_freshness(person)
    words = None if reason is None else rules.standing.checked_reason(reason)
    async with context.changing(account_id) as connection:
        member = await resolvers.staff.lock_member(
            connection, person, account_id, staff_id, NOT_ONESELF, takes_back=True
        )
        if await db.resets.needs_approval(connection, member.user_id):
            return await _ask(context, connection, account_id, person, member, words)
        return await _carry_out(context, connection, account_id, person, member, words)


async def approve(context: Context, account_id: UUID, request_id: UUID) -> Member:
    """Carry out what another owner or admin has asked for. Raises as `reset`, and MfaResetEnded."""
    person, _ = await resolvers.access.managed_account(context, account_id, to="approve a reset of MFA")
    resolvers.access.require_freshness(person)
    async with context.changing(account_id) as connection:
        person, request, member = await _decide(connection, person, account_id, request_id)
        if (why_not := resolvers.staff.why_no_reset(person, account_id, member)) is not None:
            raise NotPermitted(why_not)
        if not await db.resets.is_told(connection, request.id):
            raise NotPermitted(NOT_TOLD_YET)
        if not await db.resets.take(connection, request.id, to_approve=True):
            raise MfaResetEnded
        asked_by = request.requester_email
        return await _carry_out(context, connection, account_id, person, member, request.reason, asked_by)


async def decline(context: Context, account_id: UUID, request_id: UUID) -> Member:
    """Refuse what another has asked for: the reset never happens. Raises as `approve`, but StaffMfaNotEnabled."""
    person, _ = await resolvers.access.managed_account(context, account_id, to="decline a reset of MFA")
    resolvers.access.require_freshness(person)
    async with context.changing(account_id) as connection:
        person, request, member = await _decide(connection, person, account_id, request_id)
        if not await db.resets.take(connection, request.id, to_approve=False):
            raise MfaResetEnded
        declined = MfaResetDeclined(
            account_id=account_id,
            subject_id=member.user_id,
            actor_id=person.id,
            client=context.client,
            subject_email=member.email,
            requester_id=request.requester_id,
            requester_email=request.requester_email,
        )
        await db.outbox.append(connection, declined)
    return member


async def stop(context: Context, token: str) -> str:
    """End what waits by the link of its email, to the person or to an owner; return whose reset it was.

    Raises LinkExpired and TooManyAttempts.
    """
    async with resolvers.links.used_up(context, token, Purpose.STOP_RESET) as (connection, found):
        ended = await db.resets.stop(connection, found.event_id)
        if ended is None:
            raise LinkExpired
        stopped = MfaResetStopped(
            account_id=ended.account_id,
            subject_id=ended.user_id,
            actor_id=found.user_id,
            client=context.client,
            subject_email=ended.email,
            requester_id=ended.requester_id,
            requester_email=ended.requester_email,
        )
        await db.outbox.append(connection, stopped)
    return ended.email


async def waiting(context: Context, account_id: UUID) -> list[tuple[Request, Member]]:
    """What waits in the account, with whom it is about. Raises what viewed_account raises."""
    await resolvers.access.viewed_account(context, account_id)
    async with context.database.connection() as connection:
        found = await db.resets.waiting(connection, account_id=account_id)
        members = (
            await db.staff.members(connection, account_id, [request.user_id for request in found]) if found else []
        )
    by_user = {member.user_id: member for member in members}
    return [(request, by_user[request.user_id]) for request in found if request.user_id in by_user]


def may_decide(person: Person, request: Request) -> bool:
    """Whether the person, who manages the account, may say no to it."""
    return person.manages(request.account_id) and person.id not in {request.requester_id, request.user_id}


async def _ask(
    context: Context, connection: Connection, account_id: UUID, person: Person, member: Member, reason: str | None
) -> Request:
    if member.mfa_enabled_at is None and not member.enrollment_stopped:
        raise StaffMfaNotEnabled
    over = await db.resets.expire(connection, member.user_id)
    await db.resets.tell(connection, over, person.id, context.client)
    asked = await db.resets.ask(connection, account_id, member.user_id, person.id, reason)
    found = await db.resets.waiting(connection, user_id=member.user_id)
    if not found:  # a link or the sweep, which take no lock of the person, have just ended the one that stood there
        asked = await db.resets.ask(connection, account_id, member.user_id, person.id, reason)
        found = await db.resets.waiting(connection, user_id=member.user_id)
    (request,) = found
    if asked is not None:
        requested = MfaResetRequested(
            account_id=account_id,
            subject_id=member.user_id,
            actor_id=person.id,
            subject_email=member.email,
            reason=reason,
            until=request.requested_at + REQUEST_LIFETIME,
            client=context.client,
        )
        await db.outbox.append(connection, requested)
    return request


async def _decide(
    connection: Connection, person: Person, account_id: UUID, request_id: UUID
) -> tuple[Person, Request, Member]:
    """Who decides, what waits, and whom it is about, as they are behind the locks of both and of whoever asked.

    And under those that what the person gave is taken back under.
    """
    waiting_here = await db.resets.waiting(connection, account_id=account_id, request_id=request_id)
    if not waiting_here:
        raise MfaResetEnded
    (request,) = waiting_here
    if person.id == request.requester_id:
        raise NotPermitted(NOT_ONES_OWN)
    if person.id == request.user_id:
        raise NotPermitted(NOT_ABOUT_ONESELF)
    await db.given.lock(connection, [request.user_id], [person.id, request.requester_id])
    person = await resolvers.access.confirm_manager(connection, person, account_id)
    found = await db.staff.members(connection, account_id, [request.user_id])
    if not found:
        raise MfaResetEnded
    return person, request, found[0]


async def _carry_out(
    context: Context,
    connection: Connection,
    account_id: UUID,
    person: Person,
    member: Member,
    reason: str | None,
    asked_by: str | None = None,
) -> Member:
    if not await resolvers.staff.take_factor(connection, member.user_id):
        raise StaffMfaNotEnabled
    await db.person_reset.end_everything(connection, member.user_id, person.id, context.client)
    done = MfaReset(
        account_id=account_id,
        subject_id=member.user_id,
        actor_id=person.id,
        client=context.client,
        reason=reason,
        requester_email=asked_by,
    )
    await db.outbox.append(connection, done)
    found = await db.staff.members(connection, account_id, [member.user_id])
    if not found:
        raise NotFound  # they left meanwhile: nothing of this is to happen
    return found[0]
