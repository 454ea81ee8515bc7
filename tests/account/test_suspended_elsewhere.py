"""Whom another account's directory has made inactive may be back there: what asks for all their roles counts it."""

from __future__ import annotations

import pytest_asyncio

import db.account_recovery
import db.recovery
import db.resets
from tests.account.acts import reset
from tests.people import World, email

TOKEN_HASH = bytes(32)


@pytest_asyncio.fixture
async def suspended(world: World) -> World:
    """Mia has MFA on, and was staff of Sam's account, too, which asks for a second approver of all resets."""
    await world.let_have_mfa("mia")
    await world.database.execute(
        "INSERT INTO directory_people (account_id, user_id, user_name, said, inactive_role) "
        "SELECT $1, id, email, '{}', 'ADMIN' FROM users WHERE email = $2",
        world.other_account_id,
        email("mia"),
    )
    await world.database.execute(
        "UPDATE accounts SET reset_approval = 'EVERYONE' WHERE id = $1", world.other_account_id
    )
    return world


async def allow_recovery(world: World, *accounts: object) -> None:
    await world.database.executemany(
        "INSERT INTO account_recovery_policies VALUES ($1, 1, 2, 3)", [(account,) for account in accounts]
    )


async def test_an_owner_of_the_one_account_alone_resets_nobody(suspended: World) -> None:
    olive = await suspended.enrolled("olive")
    assert (await reset(olive, suspended, "mia"))["__typename"] == "NotPermitted"
    assert await suspended.events("MFA_RESET") == []


async def test_what_that_account_asks_of_resets_holds(suspended: World) -> None:
    mia = await suspended.user_id("mia")
    assert await db.resets.needs_approval(suspended.database, mia)
    await db.recovery.give(suspended.database, mia, suspended.account_id, None, TOKEN_HASH)
    assert await db.recovery.use(suspended.database, mia, TOKEN_HASH) is None
    await suspended.database.execute("UPDATE accounts SET reset_approval = 'NOBODY'")
    assert not await db.resets.needs_approval(suspended.database, mia)
    used = await db.recovery.use(suspended.database, mia, TOKEN_HASH)
    assert used
    assert (used.account_id, used.issuer_id) == (suspended.account_id, None)


async def test_nobody_comes_back_alone_whom_that_account_does_not_let(suspended: World) -> None:
    mia = await suspended.user_id("mia")
    await allow_recovery(suspended, suspended.account_id)
    await suspended.database.execute("UPDATE accounts SET reset_approval = 'NOBODY'")
    assert await db.account_recovery.days_of(suspended.database, mia) is None
    await allow_recovery(suspended, suspended.other_account_id)
    # As an admin there, for longer than as a member here.
    assert await db.account_recovery.days_of(suspended.database, mia) == 3
    await suspended.database.execute("DELETE FROM staff WHERE user_id = $1", mia)
    assert await db.account_recovery.days_of(suspended.database, mia) is None
