"""The hub, without a server around it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

import db.feed
import rules.tokens
from db.feed import Position
from db.pool import Connection, open_database
from resolvers.hub import Hub
from resolvers.watchers import Watcher
from rules.events.catalogue import BY_TYPE, MEMBER_CHANGES, NO_PROGRESS, samples
from tests.people import World, email
from tests.waiting import soon, until

NOBODY_RINGS = "postgresql://gatehouse@127.0.0.1:1/gatehouse"


class Standstill(asyncio.SelectorEventLoop):
    """A loop on which no time passes: what waits for a clock waits for ever."""

    def time(self) -> float:
        return 0.0


async def test_who_comes_first_is_told_to_look_at_once_and_not_at_the_next_look(database_url: str) -> None:
    loop = Standstill()

    async def first_look() -> bool:
        pool = await open_database(database_url, 1)
        hub = Hub(pool, NOBODY_RINGS, timedelta(days=7))
        try:
            with hub.watching(Watcher(token_hash=b"", person_id=uuid4())) as watcher:
                await watcher.wait()
                return watcher.is_stale
        finally:
            await hub.close()
            await pool.close()

    look = loop.create_task(first_look())

    def run() -> bool:
        with suppress(asyncio.CancelledError):
            return loop.run_until_complete(look)
        return False

    running = asyncio.get_running_loop().run_in_executor(None, run)
    try:
        assert await soon(asyncio.shield(running))
    finally:
        loop.call_soon_threadsafe(look.cancel)
        await running
        loop.close()


async def test_on_a_restored_database_that_counts_transactions_anew_it_begins_anew_too(database_url: str) -> None:
    pool = await open_database(database_url, 1)
    hub, watcher = Hub(pool, NOBODY_RINGS, timedelta(days=7)), Watcher(token_hash=b"", person_id=uuid4())
    hub._watchers.add(watcher)
    async with pool.connection() as connection:
        there = await db.feed.now(connection)
        assert await hub._look(connection, there, is_full_look=True) == there
        assert not watcher.is_stale
        hub._watchers.add(watcher)  # nobody is signed in, so that it was cut off
        reached_before = Position(there.transaction_id + 1_000_000, 1)
        position = await hub._look(connection, reached_before, is_full_look=True)
    assert there.transaction_id <= position.transaction_id < reached_before.transaction_id
    assert watcher.is_stale
    await pool.close()


async def test_what_changes_between_a_watch_s_beginning_and_the_first_look_is_told(
    database_url: str, world: World
) -> None:
    mia, olive = await world.sign_in("mia"), await world.sign_in("olive")
    token_hash = rules.tokens.digest(rules.tokens.SESSION_PREFIX, str(olive.token))
    watcher = Watcher(token_hash, await world.user_id("olive"), world.account_id, wants_members=True)
    pool = await open_database(database_url, 1)
    hub = Hub(pool, database_url, timedelta(days=7))
    with hub.watching(watcher):
        async with pool.connection() as connection:  # the only one, so that the hub looks later
            watcher.since = await db.feed.now(connection)
            await world.enroll(mia)
        await until(lambda: watcher.members or watcher.failure, "the watcher is told")
    await hub.close()
    await pool.close()
    assert [member.email for member in watcher.members.values()] == [email("mia")]


async def signed_in(world: World, name: str) -> bytes:
    """The token's hash of a session of theirs."""
    token_hash: bytes = await world.database.fetchval(
        "INSERT INTO sessions (user_id, token_hash, password_at, expires_at) "
        "VALUES ($1, sha256($2::text::bytea), now(), now() + interval '1 day') RETURNING token_hash",
        await world.user_id(name),
        name,
    )
    return token_hash


async def happened(world: World, of: str, subject: UUID | None) -> int:
    """Let it have happened in the agency; the event's id."""
    event_id: int = await world.database.fetchval(
        "WITH e AS (INSERT INTO events (type, account_id, subject_id) VALUES ($2, $1, $3) RETURNING id) "
        "INSERT INTO account_events (account_id, event_id) SELECT $1, id FROM e RETURNING event_id",
        world.account_id,
        of,
        subject,
    )
    return event_id


async def look(hub: Hub, connection: Connection, position: Position, event_id: int) -> Position:
    """Let the hub look until it has come to this event, and no further."""

    async def has_come() -> bool:
        nonlocal position
        position = await hub._look(connection, position, is_full_look=False)
        return position.event_id == event_id

    await until(has_come, "the event is certain")
    return position


async def test_what_happens_to_one_person_wakes_nobody_else_and_everyday_things_are_not_counted(
    cast: World, database_url: str
) -> None:
    olive, mia, account_id = await cast.user_id("olive"), await cast.user_id("mia"), cast.account_id
    token_hash = await signed_in(cast, "olive")
    herself = Watcher(token_hash, olive, account_ids=frozenset({account_id}))
    counts = Watcher(token_hash, olive, account_id, wants_progress=True)
    pool = await open_database(database_url, 1)
    hub = Hub(pool, NOBODY_RINGS, timedelta(days=7))
    hub._watchers |= {herself, counts}
    async with pool.connection() as connection:
        position = await db.feed.now(connection)
        position = await look(hub, connection, position, await happened(cast, "SIGN_IN_SUCCEEDED", mia))
        assert (herself.is_stale, counts.progress) == (False, None)
        position = await look(hub, connection, position, await happened(cast, "MFA_ENABLED", mia))
        assert not herself.is_stale
        assert counts.progress is not None
        counts.progress = None
        position = await look(hub, connection, position, await happened(cast, "SIGN_IN_SUCCEEDED", olive))
        assert (herself.is_stale, counts.progress) == (True, None)
        herself.is_stale = False
        await look(hub, connection, position, await happened(cast, "POLICY_CHANGED", None))
        assert herself.is_stale
        assert counts.progress is not None
    await pool.close()


def test_what_changes_a_member_is_counted() -> None:
    assert not MEMBER_CHANGES & NO_PROGRESS


@pytest.mark.parametrize(
    "of",
    [
        "POLICY_ENABLED",
        "POLICY_CHANGED",
        "POLICY_DISABLED",
        "GRACE_PERIOD_ENDED",
        "RESET_CONFIRMATION_CHANGED",
        "RESET_APPROVAL_CHANGED",
        "PROVIDER_MFA_ALLOWED",
        "PROVIDER_MFA_DISALLOWED",
        "ACCOUNT_RECOVERY_CHANGED",
    ],
)
def test_what_binds_all_of_an_account_names_none_of_them(of: str) -> None:
    assert {event.subject_id for event in samples(BY_TYPE[of]).values()} == {None}


async def test_what_changes_between_a_watch_s_beginning_and_its_coming_to_a_hub_that_has_gone_on_is_told_to_it_alone(
    database_url: str, world: World
) -> None:
    mia, adam, olive = await world.sign_in("mia"), await world.sign_in("adam"), await world.sign_in("olive")
    token_hash = rules.tokens.digest(rules.tokens.SESSION_PREFIX, str(olive.token))
    olive_id = await world.user_id("olive")
    pool = await open_database(database_url, 2)
    hub = Hub(pool, database_url, timedelta(days=7))
    first, second = (Watcher(token_hash, olive_id, world.account_id, wants_members=True) for _ in range(2))
    with hub.watching(first):
        await until(lambda: first.is_stale, "the hub looks")
        async with pool.connection() as connection:
            second.since = await db.feed.now(connection)
        await world.enroll(mia)
        await until(lambda: first.members, "the hub has gone on")
        first.members.clear()
        with hub.watching(second):
            await until(lambda: second.members or second.failure, "the second watcher is told")
            assert [member.email for member in second.members.values()] == [email("mia")]
            assert not first.members
            second.members.clear()
            await world.enroll(adam)
            await until(lambda: first.members and second.members, "both are told of what comes after")
            assert [member.email for member in second.members.values()] == [email("adam")]
    await hub.close()
    await pool.close()
