"""A person made known under a mailbox of whoever holds a key, then given another's address: nothing of theirs stays."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from db import users
from rules.links import Purpose
from rules.service_keys import Right
from tests.client import Client
from tests.coming_in.links import link_to
from tests.coming_in.operations import CHANGE, SET
from tests.operations import SIGN_IN, VIEWER_EMAIL
from tests.people import PASSWORD, World
from tests.service.operations import CHANGE_EMAIL, PROVISION, backend

THEIRS, HERS = "evil@elsewhere.example", "nina@agency.example"
CHOSEN = "chosen long ago by another"
CHANGED = "another that was thought of since"


async def planted(world: World) -> Client:
    """Whoever holds a key of the agency has chosen the password of somebody who has Nina's address now."""
    agency = await backend(world, Right.PROVISION, account_id=world.account_id, name="directory")
    await agency.do(PROVISION, input={"externalId": "77", "email": THEIRS, "role": "MEMBER"})
    token = await link_to(world, THEIRS, Purpose.PASSWORD_RESET)
    assert (await world.client().do(SET, token=token, password=CHOSEN))["__typename"] == "PasswordSet"
    identity = "INSERT INTO identities SELECT 'https://op.example', 'evil', id FROM users WHERE email = $1"
    await world.database.execute(identity, THEIRS)
    client = await signed_in(world, CHOSEN, THEIRS)
    assert (await agency.do(CHANGE_EMAIL, input={"externalId": "77", "email": HERS}))["__typename"] == "EmailChanged"
    return client


async def signed_in(world: World, password: str, email: str = HERS) -> Client:
    """A client with this password's session."""
    client = world.client()
    answer = await client.do(SIGN_IN, email=email, password=password)
    client.token = answer.get("sessionToken")
    return client


async def join_staff(world: World) -> None:
    other = await backend(world, Right.PROVISION, account_id=world.other_account_id, name="other")
    await other.do(PROVISION, input={"externalId": "1", "email": HERS, "role": "OWNER"})


async def join_portal(world: World) -> None:
    added = "INSERT INTO portal_users (account_id, user_id) SELECT $1, id FROM users WHERE email = $2"
    await world.database.execute(added, world.other_account_id, HERS)


async def become_operator(world: World) -> None:
    await world.database.execute("UPDATE users SET is_super_admin = true WHERE email = $1", HERS)


@pytest.mark.parametrize("join", [join_staff, join_portal, become_operator])
async def test_joining_another_account_ends_all_that_they_signed_in_by_before(
    world: World, join: Callable[[World], Awaitable[None]]
) -> None:
    held = await planted(world)
    await join(world)
    assert (await held.ask(VIEWER_EMAIL))["viewer"] is None
    assert (await signed_in(world, CHOSEN)).token is None
    assert await world.database.fetchval("SELECT count(*) FROM identities") == 0
    token = await link_to(world, HERS, Purpose.PASSWORD_RESET)
    await world.client().do(SET, token=token, password=PASSWORD)
    assert (await signed_in(world, PASSWORD)).token is not None


async def test_within_the_one_account_a_changed_address_leaves_the_password(world: World) -> None:
    await planted(world)
    assert (await signed_in(world, CHOSEN)).token is not None


async def test_a_password_that_was_set_by_the_new_address_goes_along(world: World) -> None:
    await planted(world)
    token = await link_to(world, HERS, Purpose.PASSWORD_RESET)
    await world.client().do(SET, token=token, password=PASSWORD)
    await join_staff(world)
    assert (await signed_in(world, PASSWORD)).token is not None


@pytest.mark.parametrize("join", [join_staff, join_portal, become_operator])
async def test_a_password_that_the_planted_one_has_changed_ends_like_it(
    world: World, join: Callable[[World], Awaitable[None]]
) -> None:
    held = await planted(world)
    assert (await held.do(CHANGE, current=CHOSEN, new=CHANGED))["__typename"] == "PasswordChanged"
    await join(world)
    assert (await signed_in(world, CHANGED)).token is None


async def test_a_password_that_is_changed_by_one_of_the_new_address_goes_along(world: World) -> None:
    await planted(world)
    token = await link_to(world, HERS, Purpose.PASSWORD_RESET)
    await world.client().do(SET, token=token, password=PASSWORD)
    hers = await signed_in(world, PASSWORD)
    assert (await hers.do(CHANGE, current=PASSWORD, new=CHANGED))["__typename"] == "PasswordChanged"
    await join_staff(world)
    assert (await signed_in(world, CHANGED)).token is not None


async def test_a_password_set_while_the_change_of_address_waited_was_not_set_by_the_new_one(world: World) -> None:
    agency = await backend(world, Right.PROVISION, account_id=world.account_id, name="directory")
    await agency.do(PROVISION, input={"externalId": "77", "email": THEIRS, "role": "MEMBER"})
    token = await link_to(world, THEIRS, Purpose.PASSWORD_RESET)
    async with world.database.transaction():
        who = await world.database.fetchval("SELECT id FROM users WHERE email = $1", THEIRS)
        assert (await world.client().do(SET, token=token, password=CHOSEN))["__typename"] == "PasswordSet"
        await users.replace_email(world.database, who, HERS, world.account_id)
    await join_staff(world)
    assert (await signed_in(world, CHOSEN)).token is None


async def test_whoever_joins_is_held_as_they_may_be_changed_so_that_of_two_joins_neither_waits_for_the_other(
    world: World, database_url: str
) -> None:
    mia = await world.user_id("mia")
    another = await asyncpg.connect(database_url)
    async with world.database.transaction():
        await world.database.execute(
            "INSERT INTO portal_users (account_id, user_id) VALUES ($1, $2)", world.other_account_id, mia
        )
        with pytest.raises(asyncpg.LockNotAvailableError):
            await another.execute("SELECT FROM users WHERE id = $1 FOR SHARE NOWAIT", mia)
        # What only refers to them goes on.
        await another.execute("SELECT FROM users WHERE id = $1 FOR KEY SHARE NOWAIT", mia)
    await another.close()
