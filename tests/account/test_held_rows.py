"""What a change has looked at stays until it is committed: so much is held that none goes amid it, and no more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias
from uuid import UUID

import asyncpg
import pytest

import db.given
import db.invitations
import db.operators
import db.policy
import db.service_keys
import db.sessions
import db.staff
import db.users
from db.pool import Connection, Database
from rules.service_keys import Right
from tests.people import World, email
from tests.reminders.cast import pool
from tests.service.operations import backend

__all__ = ["pool"]

Hold: TypeAlias = Callable[[Connection, World], Awaitable[object]]


async def id_in(world: World, table: str) -> UUID:
    found: UUID = await world.database.fetchval(f"SELECT id FROM {table}")
    return found


async def hold_session(connection: Connection, world: World) -> object:
    return await db.sessions.hold(connection, await id_in(world, "sessions"))


async def hold_service_key(connection: Connection, world: World) -> object:
    return await db.service_keys.hold(connection, await id_in(world, "service_keys"))


async def hold_roles(connection: Connection, world: World) -> object:
    return await db.staff.hold_roles(connection, await world.user_id("olive"))


async def lock_person(connection: Connection, world: World) -> object:
    return await db.users.lock(connection, await world.user_id("olive"))


async def lock_people(connection: Connection, world: World) -> object:
    await db.users.lock_all(connection, [await world.user_id("olive")])
    return True


async def lock_if_unchanged(connection: Connection, world: World) -> object:
    known = await db.users.credentials_of(connection, await world.user_id("olive"))
    assert known
    return await db.users.lock_if_unchanged(connection, known)


async def lock_whole(connection: Connection, world: World) -> object:
    await db.users.lock_whole(connection, await world.user_id("olive"))
    return True


async def keep_person(connection: Connection, world: World) -> object:
    return await db.operators.keep_person(connection, email("olive"))


async def lock_policy(connection: Connection, world: World) -> object:
    return await db.policy.lock(connection, world.account_id)


async def keep_account(connection: Connection, world: World) -> object:
    return await db.operators.keep_account(connection, world.account_id)


async def keep_account_of_invitation(connection: Connection, world: World) -> object:
    await db.invitations.keep_account(connection, await world.staff_id("olive"))
    return True


async def standing(connection: Connection, world: World) -> object:
    return await db.invitations.standing(connection, world.account_id, await world.user_id("olive"))


PERSON = "users WHERE email = 'olive@agency.example'"
MEMBER = "staff WHERE email = 'olive@agency.example'"
ACCOUNT = "accounts WHERE name = 'Agency'"
# Which row each holds, the strongest lock on it that another may have meanwhile, and the weakest that waits.
HELD: list[tuple[Hold, str, str | None, str]] = [
    (hold_session, "sessions", "NO KEY UPDATE", "UPDATE"),
    (hold_service_key, "service_keys", "NO KEY UPDATE", "UPDATE"),
    (keep_person, PERSON, "NO KEY UPDATE", "UPDATE"),
    (hold_roles, MEMBER, "SHARE", "NO KEY UPDATE"),
    (keep_account, ACCOUNT, "SHARE", "NO KEY UPDATE"),
    (keep_account_of_invitation, ACCOUNT, "SHARE", "NO KEY UPDATE"),
    (lock_person, PERSON, "KEY SHARE", "SHARE"),
    (lock_people, PERSON, "KEY SHARE", "SHARE"),
    (lock_if_unchanged, PERSON, "KEY SHARE", "SHARE"),
    (lock_policy, ACCOUNT, "KEY SHARE", "SHARE"),
    (standing, MEMBER, "KEY SHARE", "SHARE"),
    (lock_whole, PERSON, None, "KEY SHARE"),
]


@pytest.mark.parametrize(("hold", "row", "allowed", "refused"), HELD, ids=[held[0].__name__ for held in HELD])
async def test_it_is_held_until_the_change_is_committed(
    world: World, pool: Database, hold: Hold, row: str, allowed: str | None, refused: str
) -> None:
    await world.sign_in("olive")
    await backend(world, Right.SIGN_IN)
    async with pool.transaction() as connection:
        assert await hold(connection, world)
        if allowed:
            assert await world.database.fetch(f"SELECT FROM {row} FOR {allowed} NOWAIT")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await world.database.execute(f"SELECT FROM {row} FOR {refused} NOWAIT")
    assert await world.database.fetch(f"SELECT FROM {row} FOR UPDATE NOWAIT")


@pytest.mark.parametrize("revokes", [True, False])
async def test_those_invited_are_held_only_where_invitations_are_to_be_revoked(
    world: World, pool: Database, *, revokes: bool
) -> None:
    inviter, invited = await world.user_id("adam"), await world.staff_id("mia")
    await world.database.execute("UPDATE staff SET invited_at = now(), invited_by = $1 WHERE id = $2", inviter, invited)
    free = "SELECT FROM users WHERE email = $1 FOR NO KEY UPDATE SKIP LOCKED"
    async with pool.transaction() as connection:
        await db.given.lock(connection, [inviter], with_invited=revokes)
        assert await world.database.fetch(free, email("adam")) == []
        assert len(await world.database.fetch(free, email("mia"))) == (not revokes)
