"""The hub: one reader of the feed for all watchers of a process.

It asks once for each changed account and once for all watchers' permissions, however many they are.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterator
from contextvars import Context
from datetime import timedelta
from uuid import UUID

import db.exceptions
import db.feed
import db.listening
import db.policy
import db.staff
import resolvers.watchers
from db.exceptions import Ended
from db.feed import FeedEvent, Position
from db.pool import Connection, Database
from resolvers.watchers import Watcher
from rules.events.catalogue import MEMBER_CHANGES, NO_PROGRESS
from rules.failures import ServiceUnavailable

LOOK_EVERY_S = 1.0
LONGEST_LOOK_S = 30.0  # it reads for all watchers


class Hub:
    """The watchers of this process. It reads only while there are any."""

    def __init__(self, database: Database, url: str, session_idle: timedelta) -> None:
        self._database = database
        self._session_idle = session_idle
        self._url = url
        self._watchers: set[Watcher] = set()
        self._task: asyncio.Task[None] | None = None
        self._ended: frozenset[Ended] = frozenset()

    @contextlib.contextmanager
    def watching(self, watcher: Watcher) -> Iterator[Watcher]:
        """Keep the watcher informed for as long as this lasts."""
        self._watchers.add(watcher)
        if self._task is None or self._task.done():
            # Everybody's: it is no part of the request that happens to begin it.
            self._task = asyncio.create_task(self._run(), context=Context(), name="hub")
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    async def close(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        rung = asyncio.Event()
        rung.set()  # the first look is at once: what comes before it is no news to whoever watches by then
        listener = asyncio.create_task(db.listening.listen(self._url, rung, "gatehouse-hub"))
        position: Position | None = None
        looked_at = asyncio.get_running_loop().time()
        try:
            while self._watchers:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(rung.wait(), LOOK_EVERY_S)
                rung.clear()
                now = asyncio.get_running_loop().time()
                is_full_look = now - looked_at >= LOOK_EVERY_S or position is None
                try:
                    async with self._database.connection(LONGEST_LOOK_S) as connection:
                        position = await self._look(connection, position, is_full_look)
                except ServiceUnavailable:
                    continue  # the watchers wait; the pool has said why
                if is_full_look:
                    looked_at = now
        finally:
            listener.cancel()
            for watcher in self._watchers:
                watcher.end(ServiceUnavailable())

    async def _look(self, connection: Connection, position: Position | None, is_full_look: bool) -> Position:
        events = await db.feed.read(connection, position) if position is not None else []
        if position is None or (is_full_look and not events and await db.feed.has_begun_anew(connection, position)):
            if position is not None:  # of another database than this one
                for watcher in self._watchers:
                    watcher.since = None
            position = await db.feed.now(connection)
            # The watchers that came before this have no news to wait for: let them look for themselves.
            for watcher in self._watchers:
                watcher.is_stale = True
                watcher.tell()
        await self._check(connection, events, is_full_look)
        await self._catch_up(connection, position)
        await self._tell(connection, events)
        if is_full_look:
            await self._tell_deadlines(connection)
            await self._tell_ended(connection)
        return events[-1].position if events else position

    async def _check(self, connection: Connection, events: list[FeedEvent], is_full_look: bool) -> None:
        """Cut off whoever may not go on: those concerned by these events, and once a second all."""
        touched = frozenset[UUID]().union(*(event.account_ids for event in events))
        people = {event.subject_id for event in events}
        asked = [w for w in self._watchers if is_full_look or w.account_id in touched or w.person_id in people]
        if not asked:
            return
        found = await db.feed.standings(
            connection, [w.token_hash for w in asked], [w.account_id for w in asked], self._session_idle
        )
        for watcher, standing in zip(asked, found, strict=True):
            if (refusal := resolvers.watchers.refusal_of(standing)) is not None:
                self._watchers.discard(watcher)
                watcher.end(refusal)

    async def _catch_up(self, connection: Connection, position: Position) -> None:
        """Tell those who came since the last look of the members who changed between their beginning and `position`."""
        newcomers = [w for w in self._watchers if w.since is not None]
        of_account: defaultdict[UUID | None, list[Watcher]] = defaultdict(list)
        for watcher in newcomers:
            of_account[watcher.account_id].append(watcher)
        changed: defaultdict[UUID, defaultdict[UUID, list[Watcher]]] = defaultdict(lambda: defaultdict(list))
        read_to = min((w.since for w in newcomers if w.since is not None), default=position)
        while read_to < position:
            events = [event for event in await db.feed.read(connection, read_to) if event.position <= position]
            read_to = events[-1].position if events else position
            for account_id, user_id, at in _member_changes(events):
                for watcher in of_account.get(account_id, ()):
                    if watcher.since is not None and watcher.since < at:
                        changed[account_id][user_id].append(watcher)
        for account_id, people in changed.items():
            for member in await db.staff.members(connection, account_id, list(people)):
                resolvers.watchers.tell_members(people[member.user_id], [member])
        for watcher in newcomers:
            watcher.since = None

    async def _tell(self, connection: Connection, events: list[FeedEvent]) -> None:
        self._tell_people(events)
        counted = {account_id for event in events if event.type not in NO_PROGRESS for account_id in event.account_ids}
        members: defaultdict[UUID, set[UUID]] = defaultdict(set)
        for account_id, user_id, _ in _member_changes(events):
            members[account_id].add(user_id)
        for account_id in counted:
            # Whoever has come during this look is told of these events by the next one.
            watchers = [w for w in self._watchers if w.account_id == account_id and w.since is None]
            if any(w.wants_progress for w in watchers):
                resolvers.watchers.tell_progress(watchers, await db.policy.progress(connection, account_id))
            if (changed := members.get(account_id)) and any(w.wants_members for w in watchers):
                resolvers.watchers.tell_members(watchers, await db.staff.members(connection, account_id, list(changed)))

    def _tell_people(self, events: list[FeedEvent]) -> None:
        """Wake whoever watches themselves: a person's event concerns that one, an account's all who are its staff."""
        people = {event.subject_id for event in events}
        accounts = frozenset[UUID]().union(*(event.account_ids for event in events if event.subject_id is None))
        for watcher in self._watchers:
            if watcher.account_id is None and (
                watcher.person_id in people or not watcher.account_ids.isdisjoint(accounts)
            ):
                watcher.is_stale = True
                watcher.tell()

    async def _tell_deadlines(self, connection: Connection) -> None:
        """A deadline changes the progress by passing, without an event of its own until the timetable's task looks."""
        watched = {w.account_id for w in self._watchers if w.wants_progress and w.account_id is not None}
        for account_id in await db.policy.just_ended(connection, list(watched)) if watched else []:
            watchers = [w for w in self._watchers if w.account_id == account_id]
            resolvers.watchers.tell_progress(watchers, await db.policy.progress(connection, account_id))

    async def _tell_ended(self, connection: Connection) -> None:
        """So does an exception's end, for the one member: each is told of once, though looked at for ten seconds."""
        watched = {w.account_id for w in self._watchers if w.wants_members and w.account_id is not None}
        ended = frozenset(await db.exceptions.just_ended(connection, list(watched)) if watched else ())
        people: defaultdict[UUID, list[UUID]] = defaultdict(list)
        for each in ended - self._ended:
            people[each.account_id].append(each.user_id)
        for account_id, user_ids in people.items():
            watchers = [w for w in self._watchers if w.account_id == account_id]
            resolvers.watchers.tell_members(watchers, await db.staff.members(connection, account_id, user_ids))
        self._ended = ended


def _member_changes(events: list[FeedEvent]) -> Iterator[tuple[UUID, UUID, Position]]:
    """In which account whose row has changed, and at which position."""
    for event in events:
        if event.type in MEMBER_CHANGES and event.subject_id is not None:
            for account_id in event.account_ids:
                yield account_id, event.subject_id, event.position
