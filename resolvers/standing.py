"""Exceptions from an account's MFA requirement: more time, or nothing asked for a while, each with its words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import db.exceptions
import db.outbox
import db.policy
import db.staff
import resolvers.access
import resolvers.joining
import rules.standing
from db.exceptions import Candidate, MfaException
from db.pool import Connection
from db.sign_in import Arrival
from db.staff import Member
from resolvers.context import Context
from rules.events.base import Event
from rules.events.standing import BreakGlassSignedIn, MfaDeadlineExtended, MfaExceptionEnded, MfaExempted
from rules.failures import InvalidInput, NotFound, NotPermitted, Outcome
from rules.people import Person
from rules.standing import ExceptionKind

MOST_LISTED = 500


@dataclass(frozen=True)
class Asked:
    """An exception as asked for, for one member or several."""

    kind: ExceptionKind
    staff_ids: list[UUID]
    until: datetime
    reason: str
    is_break_glass: bool = False


@dataclass(frozen=True)
class Given:
    """What came of it for one member: the exception and the member as they stand now, or what stood against it."""

    staff_id: UUID
    exception: MfaException | None
    member: Member | None
    problem: Outcome | None


async def give(context: Context, account_id: UUID, asked: Asked) -> list[Given]:
    """Give the exception to each of these; a later one takes an earlier one's place.

    Raises what managed_account raises, and InvalidInput. What stands against one member comes back as its row; where
    only one is asked for, it is raised.
    """
    person, _ = await resolvers.access.managed_account(context, account_id, to="except staff from its MFA requirement")
    resolvers.access.require_freshness(person)
    reason = rules.standing.checked_reason(asked.reason)
    if not 1 <= len(set(asked.staff_ids)) <= rules.standing.MOST_AT_ONCE:
        raise InvalidInput("staffIds", f"Give 1 to {rules.standing.MOST_AT_ONCE} staff members.")
    async with context.changing(account_id) as connection:
        account = await db.policy.lock(connection, account_id)
        if account is None:
            raise NotFound
        await db.exceptions.keep_people(connection, account_id, asked.staff_ids)
        person = await resolvers.access.confirm_manager(connection, person, account_id)
        found = await db.exceptions.lock_members(connection, account_id, asked.staff_ids)
        if found:
            rules.standing.check_end(asked.until, next(iter(found.values())).now)
        problems = {i: _problem(person, account_id, found.get(i), asked) for i in asked.staff_ids}
        fitting = [found[i] for i, problem in problems.items() if problem is None and i in found]
        if len(problems) == 1 and not fitting:
            raise next(iter(problems.values())) or NotFound
        members, made = await record(connection, account_id, fitting, asked, reason, person.id)
    return [
        Given(i, made.get(i), members.get(i), problem if i in found else NotPermitted("This is no staff member here."))
        for i, problem in problems.items()
    ]


async def end(context: Context, account_id: UUID, exception_id: UUID) -> tuple[MfaException, Member]:
    """End an exception before its time: what it held off holds at once. Raises what give raises."""
    person, _ = await resolvers.access.managed_account(context, account_id, to="end an exception")
    resolvers.access.require_freshness(person)
    async with context.changing(account_id) as connection:
        if await db.policy.lock(connection, account_id) is None:
            raise NotFound
        person = await resolvers.access.confirm_manager(connection, person, account_id)
        membership = person.membership_of(account_id)
        held = await db.exceptions.listed(connection, account_id, [exception_id], with_ended=False, limit=1)
        if membership is not None and held and held[0].is_break_glass:
            rules.standing.check_end_of_mark(membership.role)
        user_id = await db.exceptions.end(connection, account_id, exception_id, person.id)
        if user_id is None:
            raise NotFound
        await db.outbox.append(
            connection, MfaExceptionEnded(account_id=account_id, subject_id=user_id, actor_id=person.id)
        )
        await resolvers.joining.tell_excepted_no_more(connection, account_id, user_id)
        (ended,) = await db.exceptions.listed(connection, account_id, [exception_id], with_ended=True, limit=1)
        (member,) = await db.staff.members(connection, account_id, [user_id])
    return ended, member


async def listed(context: Context, account_id: UUID, *, with_ended: bool) -> list[MfaException]:
    """The account's newest 500 exceptions. Raises what viewed_account raises."""
    await resolvers.access.viewed_account(context, account_id)
    async with context.database.connection() as connection:
        return await db.exceptions.listed(connection, account_id, None, with_ended=with_ended, limit=MOST_LISTED)


def told_to_owners(context: Context, arrived: Arrival, amr: str) -> list[Event]:
    """A session has begun: where the person's account is a break-glass one, its owners hear of it."""
    return [
        BreakGlassSignedIn(
            account_id=account_id,
            subject_id=arrived.user_id,
            actor_id=arrived.user_id,
            subject_email=arrived.email,
            client=context.client,
            amr=amr,
        )
        for account_id in arrived.break_glass
    ]


def _problem(person: Person, account_id: UUID, candidate: Candidate | None, asked: Asked) -> Outcome | None:
    """What stands against excepting this member; None when nothing does, or when there is no such member."""
    membership = person.membership_of(account_id)
    if candidate is None or membership is None:
        return None
    try:
        rules.standing.check_author(person.id, membership.role, candidate.user_id, asked.is_break_glass)
        if candidate.is_break_glass:
            rules.standing.check_end_of_mark(membership.role)
        rules.standing.check_end(asked.until, candidate.now)
    except Outcome as outcome:
        return outcome
    return None


async def record(
    connection: Connection,
    account_id: UUID,
    fitting: list[Candidate],
    asked: Asked,
    reason: str,
    author_id: UUID | None,
) -> tuple[dict[UUID, Member], dict[UUID, MfaException]]:
    """Write the exceptions and their events; the members and the exceptions, each by membership.

    The author is None for an operator.
    """
    user_ids = [candidate.user_id for candidate in fitting]
    made = await db.exceptions.give(
        connection,
        account_id,
        user_ids,
        asked.kind,
        until=asked.until,
        reason=reason,
        author_id=author_id,
        is_break_glass=asked.is_break_glass,
    )
    await db.outbox.append_all(
        connection, [_event(account_id, user_id, asked, reason, author_id) for user_id in user_ids]
    )
    listed = await db.exceptions.listed(connection, account_id, made, with_ended=True, limit=len(made))
    members = await db.staff.members(connection, account_id, user_ids)
    return {each.id: each for each in members}, {each.staff_id: each for each in listed if each.staff_id}


def _event(
    account_id: UUID, user_id: UUID, asked: Asked, reason: str, author_id: UUID | None
) -> MfaDeadlineExtended | MfaExempted:
    if asked.kind is ExceptionKind.EXTENDED:
        return MfaDeadlineExtended(
            account_id=account_id, subject_id=user_id, actor_id=author_id, until=asked.until, reason=reason
        )
    return MfaExempted(
        account_id=account_id,
        subject_id=user_id,
        actor_id=author_id,
        until=asked.until,
        reason=reason,
        is_break_glass=asked.is_break_glass,
    )
