"""How those who watch stand: signed in still, allowed still, and not stopped."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from db import feed
from db.feed import WatcherState
from tests.people import World, require_mfa

IDLE = timedelta(days=7)
FREE, HELD_UP = WatcherState(True, True, False), WatcherState(True, True, True)


async def session_of(world: World, name: str) -> bytes:
    """A session of theirs, by its token's hash."""
    await world.sign_in(name)
    find = "SELECT token_hash FROM sessions WHERE user_id = $1"
    found: bytes = await world.database.fetchval(find, await world.user_id(name))
    return found


async def standing(world: World, token_hash: bytes, account_id: UUID | None) -> WatcherState:
    (found,) = await feed.standings(world.database, [token_hash], [account_id], IDLE)
    return found


async def test_whose_deadline_has_passed_is_stopped_unless_the_account_takes_the_word_of_their_provider(
    world: World,
) -> None:
    adam = await session_of(world, "adam")
    assert await standing(world, adam, world.account_id) == FREE
    await require_mfa(world.database, world.account_id, days_ago=8, grace_days=7)
    assert await standing(world, adam, world.account_id) == HELD_UP
    assert await standing(world, adam, None) == FREE
    await world.database.execute("UPDATE sessions SET provider_mfa = 'own'")
    allow = "INSERT INTO account_mfa_providers (account_id, provider) VALUES ($1, $2)"
    await world.database.execute(allow, world.other_account_id, "own")
    await world.database.execute(allow, world.account_id, "another")
    assert await standing(world, adam, world.account_id) == HELD_UP
    await world.database.execute(allow, world.account_id, "own")
    assert await standing(world, adam, world.account_id) == FREE
    await world.database.execute("UPDATE users SET reenrollment_required_at = now()")
    assert await standing(world, adam, world.account_id) == HELD_UP
    await world.let_have_mfa("adam")
    assert await standing(world, adam, world.account_id) == FREE


async def test_members_see_nothing_and_operators_once_they_have_mfa(world: World) -> None:
    mia, sue = await session_of(world, "mia"), await session_of(world, "sue")
    assert await standing(world, mia, world.account_id) == WatcherState(True, False, False)
    assert await standing(world, mia, None) == FREE
    assert await standing(world, sue, world.account_id) == HELD_UP
    await world.let_have_mfa("sue")
    assert await standing(world, sue, world.account_id) == FREE
    await world.database.execute("UPDATE staff SET role = 'ADMIN' WHERE user_id = $1", await world.user_id("mia"))
    assert await standing(world, mia, world.account_id) == FREE
    assert await standing(world, mia, world.other_account_id) == WatcherState(True, False, False)
    await world.database.execute("UPDATE staff SET invited_at = now() WHERE user_id = $1", await world.user_id("mia"))
    assert await standing(world, mia, world.account_id) == WatcherState(True, False, False)


async def test_a_session_that_is_over_or_was_left_unused_is_none_and_answers_come_in_the_order_asked(
    world: World,
) -> None:
    adam, olive = await session_of(world, "adam"), await session_of(world, "olive")
    nobody = bytes(32)
    asked: list[bytes | None] = [olive, nobody, adam]
    found = await feed.standings(world.database, asked, [world.account_id] * 3, IDLE)
    assert [each.is_live for each in found] == [True, False, True]
    unused = "UPDATE sessions SET last_used_at = now() - interval '7 days' WHERE token_hash = $1"
    await world.database.execute(unused, adam)
    await world.database.execute("UPDATE sessions SET expires_at = now() WHERE token_hash = $1", olive)
    found = await feed.standings(world.database, asked, [world.account_id] * 3, IDLE)
    assert [each.is_live for each in found] == [False, False, False]
