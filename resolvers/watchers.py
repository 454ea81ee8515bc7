"""Watchers: who watches what, and what waits for them.

What a watcher has not fetched yet is replaced by what is newer, so that a slow one takes no more memory than a quick
one.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

from db.feed import Position, WatcherState
from db.policy import Progress
from db.staff import Member
from rules.failures import MfaEnrollmentRequired, NotFound, RateLimited, Refusal, Unauthenticated

MOST_WAITING = 1000


@dataclass(eq=False)
class Watcher:
    """One subscription: its session, what it watches, and what waits for it."""

    # The token that it came by: a session goes on under another one, where this was in a cookie that may be copied.
    token_hash: bytes | None
    person_id: UUID
    account_id: UUID | None = None
    # where the feed was as the watch began, until the hub has caught up with it; None for whoever looks for themselves
    since: Position | None = None
    # whose policies bind the person; only where the person is watched
    account_ids: frozenset[UUID] = frozenset()
    wants_progress: bool = False
    wants_members: bool = False
    progress: Progress | None = None
    members: dict[UUID, Member] = field(default_factory=dict)
    is_stale: bool = False
    failure: Refusal | None = None
    _something: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self) -> None:
        """Wake whoever waits."""
        self._something.set()

    def end(self, failure: Refusal) -> None:
        """Say why it is over; nothing more will come."""
        self.failure = failure
        self.members.clear()
        self.tell()

    async def wait(self) -> None:
        """Wait for something new. Raises the refusal that ended it."""
        await self._something.wait()
        self._something.clear()
        if self.failure is not None:
            raise self.failure


def tell_progress(watchers: list[Watcher], progress: Progress) -> None:
    """Tell those of them who want the account's progress and have heard of another."""
    for watcher in watchers:
        if watcher.wants_progress and watcher.progress != progress:
            watcher.progress = progress
            watcher.tell()


def tell_members(watchers: list[Watcher], members: list[Member]) -> None:
    """Tell those of them who want members; one who has too many to read is ended."""
    for watcher in watchers:
        if watcher.wants_members and members:
            watcher.members.update((member.user_id, member) for member in members)
            if len(watcher.members) > MOST_WAITING:
                watcher.end(RateLimited("More has changed than you have read. Load the roster, then subscribe again."))
            watcher.tell()


def refusal_of(standing: WatcherState) -> Refusal | None:
    """Why somebody who stands so may watch no longer; None while they may."""
    if not standing.is_live:
        return Unauthenticated()
    if standing.is_blocked:
        return MfaEnrollmentRequired()
    return None if standing.may_view else NotFound()
