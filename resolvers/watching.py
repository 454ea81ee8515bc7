"""What a person may watch: an account's progress, its staff, and themselves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar
from uuid import UUID

import db.policy
import resolvers.access
from db.policy import Progress
from db.staff import Member
from resolvers.context import Context
from resolvers.hub import LOOK_EVERY_S
from resolvers.watchers import Watcher
from rules.failures import ServiceUnavailable
from rules.people import Person

T = TypeVar("T")


async def enrollment_progress(context: Context, account_id: UUID) -> AsyncIterator[Progress]:
    """The progress now, then after every change of it. Raises what viewed_account raises, at first or later."""
    watcher = await _account_watcher(context, account_id)
    watcher.wants_progress = True

    async def progress_now() -> Progress:
        async with context.database.connection() as connection:
            return await db.policy.progress(connection, account_id)

    with context.service.hub.watching(watcher):
        told = await progress_now()
        yield told
        while True:
            await watcher.wait()
            if watcher.is_stale:
                watcher.is_stale = False
                watcher.progress = await _patiently(progress_now)
            if watcher.progress is not None and watcher.progress != told:
                told = watcher.progress
                yield told


async def staff_member_changed(context: Context, account_id: UUID) -> AsyncIterator[tuple[Member, Person]]:
    """Each changed member, with the person who watches. Who has left is no member any more, and is not told of."""
    watcher = await _account_watcher(context, account_id)
    watcher.wants_members = True
    watcher.since = context.watches_from or await context.feed_now()
    person = await context.person()
    with context.service.hub.watching(watcher):
        while True:
            await watcher.wait()
            while watcher.members:
                yield watcher.members.pop(next(iter(watcher.members))), person


async def viewer_changed(context: Context) -> AsyncIterator[Person]:
    """The person now, then after each change of their MFA, roles or policies. Raises Unauthenticated."""
    person = await context.person()
    watcher = Watcher(context.token_hash, person.id, account_ids=_accounts(person))
    with context.service.hub.watching(watcher):
        person = await context.reload()
        yield person
        told = _without_clock(person)
        while True:
            await _news_or_deadline(watcher, person)
            person = await _patiently(context.reload)
            watcher.account_ids = _accounts(person)
            if _without_clock(person) != told:
                told = _without_clock(person)
                yield person


async def _patiently(read: Callable[[], Awaitable[T]]) -> T:
    """What `read` returns once the database answers: whoever watches already does not lose the watch by its restart."""
    while True:
        try:
            return await read()
        except ServiceUnavailable:
            await asyncio.sleep(LOOK_EVERY_S)


async def _account_watcher(context: Context, account_id: UUID) -> Watcher:
    await resolvers.access.viewed_account(context, account_id)
    person = await context.person()
    return Watcher(context.token_hash, person.id, account_id)


async def _news_or_deadline(watcher: Watcher, person: Person) -> None:
    """Wait for something new, or until what stops the person next: that comes by time alone, without an event."""
    ahead = [each.deadline - person.now for each in person.memberships if each.deadline and each.deadline > person.now]
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(watcher.wait(), min(ahead).total_seconds() if ahead else None)


def _accounts(person: Person) -> frozenset[UUID]:
    return frozenset(membership.account.id for membership in person.memberships)


def _without_clock(person: Person) -> tuple[object, ...]:
    return (
        person.email,
        person.mfa_enabled_at,
        person.backup_codes_remaining,
        person.reenrollment_required_at,
        person.enrollment_stopped_at,
        person.needs_enrollment_link,
        person.is_super_admin,
        person.memberships,
        [person.is_blocked_at(membership.account) for membership in person.memberships],
        person.recovery,
        person.check_up,
    )
