"""The roster: who is staff, who has enrolled; reminding those who have not, and what every reset takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import db.factors
import db.given
import db.links
import db.outbox
import db.resets
import db.staff
import db.throttles
import db.users
import resolvers.access
import resolvers.sessions
import rules.cursor
import rules.policy
import rules.throttling
from db.pool import Connection
from db.staff import ClaimedReminder, Filter, Member
from resolvers.context import Context
from rules.events.policy import GraceReminderSent
from rules.failures import BadUserInput, InvalidInput, NotFound, NotPermitted
from rules.people import Person, Role

LARGEST_PAGE = 500
MOST_REMINDED = 500
# An enum's own look-up is a call of Python.
ROLES = dict(Role.__members__)
NOTICE = f"Showing the first {LARGEST_PAGE} staff members."


@dataclass(frozen=True)
class Page:
    """A page of the roster, and the way to each member's cursor, which is made only when asked for."""

    members: list[Member]
    cursor_of: Callable[[Member], str]
    has_next: bool
    has_previous: bool
    notice: str | None


async def roster(context: Context, account_id: UUID, first: int | None, after: str | None, wanted: Filter) -> Page:
    """Staff by email. Raises what viewed_account raises, and BadUserInput."""
    await resolvers.access.viewed_account(context, account_id)
    limit = page_size(first, LARGEST_PAGE)
    ring, scope = context.service.ring, f"staff {account_id}"
    position = _position(rules.cursor.decode(ring, scope, after)) if after is not None else None
    async with context.database.connection() as connection:
        members = await db.staff.page(connection, account_id, wanted, position, limit + 1)
    has_next = len(members) > limit
    members = members[:limit]
    return Page(
        members,
        lambda member: rules.cursor.encode(ring, scope, [member.email, str(member.id)]),
        has_next,
        has_previous=after is not None,
        notice=NOTICE if has_next and first is None and after is None else None,
    )


async def count(context: Context, account_id: UUID, wanted: Filter) -> int:
    """How many staff the filter holds for. Raises what viewed_account raises."""
    await resolvers.access.viewed_account(context, account_id)
    async with context.database.connection() as connection:
        return await db.staff.count(connection, account_id, wanted)


def can_reset(person: Person, account_id: UUID, member: Member) -> bool:
    """Whether the person may reset this member's MFA now."""
    return (
        (member.mfa_enabled_at is not None or member.enrollment_stopped)
        and member.user_id != person.id
        and account_id in person.managed
        and why_no_reset(person, account_id, member) is None
    )


def can_give_pass(person: Person, account_id: UUID, member: Member) -> bool:
    """Whether the person may give this member a recovery pass now: it never goes round a second approver."""
    return member.mfa_enabled_at is not None and not member.needs_approval and can_reset(person, account_id, member)


def why_no_reset(person: Person, account_id: UUID, member: Member) -> str | None:
    """None, or why the person may not touch this member's factor."""
    return person.may_reset(
        ROLES[member.role],
        account_id,
        member.elsewhere,
        member.owned_elsewhere,
        is_stopped=member.enrollment_stopped,
    )


async def lock_member(
    connection: Connection,
    person: Person,
    account_id: UUID,
    staff_id: UUID,
    not_oneself: str,
    why_not: Callable[[Person, UUID, Member], str | None] = why_no_reset,
    *,
    takes_back: bool = False,
) -> Member:
    """Lock both for what the person does to a member; the member, as they are behind the locks.

    With whom else it takes to take back what the member gave, where that is done.
    Raises NotFound, Unauthenticated, and NotPermitted: of oneself in these words, else as `why_not` has it.
    """
    user_id = await db.staff.user_of(connection, account_id, staff_id)
    if user_id is None:
        raise NotFound
    if user_id == person.id:
        raise NotPermitted(not_oneself)
    await db.given.lock(connection, [user_id] if takes_back else [], [person.id, user_id])
    person = await resolvers.access.confirm_manager(connection, person, account_id)
    found = await db.staff.members(connection, account_id, [user_id])
    if not found:
        raise NotFound  # they left meanwhile
    (member,) = found
    if (reason := why_not(person, account_id, member)) is not None:
        raise NotPermitted(reason)
    return member


async def take_factor(connection: Connection, user_id: UUID) -> bool:
    """Take the factor away, or let enroll again who has disputed a reset; false when there is nothing to reset."""
    return await db.factors.remove(connection, user_id) or await db.users.is_enrolling_stopped(connection, user_id)


async def remind(context: Context, account_id: UUID, staff_ids: list[str]) -> tuple[int, int]:
    """Remind these now; return how many were reminded and how many were skipped.

    Raises what managed_account raises, and InvalidInput.
    """
    person, _ = await resolvers.access.managed_account(context, account_id, to="remind staff")
    wanted = {text.lower() for text in staff_ids}
    if not 1 <= len(wanted) <= MOST_REMINDED:
        raise InvalidInput("staffIds", f"Give 1 to {MOST_REMINDED} staff members.")
    async with context.changing(account_id) as connection:
        claimed = await db.staff.claim_reminders(
            connection, account_id, person.id, [resolvers.access.parse_id(text) for text in wanted]
        )
        await db.outbox.append_all(connection, [_reminder(account_id, person.id, each) for each in claimed])
    return len(claimed), len(wanted) - len(claimed)


def _reminder(account_id: UUID, actor_id: UUID, claimed: ClaimedReminder) -> GraceReminderSent:
    return GraceReminderSent(
        account_id=account_id,
        actor_id=actor_id,
        subject_id=claimed.user_id,
        required_since=claimed.required_since,
        deadline=claimed.deadline,
        days_left=rules.policy.days_remaining(claimed.deadline, claimed.now),
        manual=True,
    )


def page_size(first: int | None, largest: int, default: int | None = None) -> int:
    """The size asked for, or the default. Raises BadUserInput."""
    size = (default or largest) if first is None else first
    if not 0 <= size <= largest:
        raise BadUserInput(f"first must be 0 to {largest}.")
    return size


def _position(values: list[str]) -> tuple[str, UUID]:
    email, identifier = values
    return email, UUID(identifier)
