"""Whoever came in on an invitation alone is signed out as it ends: they belong nowhere, and are let in no more."""

from __future__ import annotations

import asyncio

import pytest

from tests.client import Client
from tests.coming_in.operations import INVITE, REVOKE
from tests.operations import SIGN_IN, VIEWER
from tests.people import PASSWORD, World, email
from tests.pruned import prune

NOWHERE = "DELETE FROM staff WHERE email LIKE 'mia@%'"
ELSEWHERE = (
    "INSERT INTO staff (account_id, user_id, email, role, invited_at) "
    "SELECT accounts.id, users.id, email, 'MEMBER', {} FROM users, accounts WHERE email LIKE 'mia@%' AND name = 'Other'"
)
STILL = {
    "a role elsewhere": ELSEWHERE.format("NULL"),
    "an open invitation elsewhere": ELSEWHERE.format("now()"),
    "a portal": "INSERT INTO portal_users (account_id, user_id) SELECT accounts.id, users.id FROM users, accounts "
    "WHERE email LIKE 'mia@%' AND name = 'Other'",
    "the platform": "UPDATE users SET is_super_admin = true WHERE email LIKE 'mia@%'",
}
NOT_ANY_MORE = {
    "nothing": "SELECT",
    "a lapsed invitation elsewhere": ELSEWHERE.format("now() - interval '8 days'"),
    "an invitation elsewhere by nobody there": ELSEWHERE.format("now()")
    + "; UPDATE staff SET invited_by = gen_random_uuid() WHERE email LIKE 'mia@%' AND account_id <> (SELECT id FROM "
    "accounts WHERE name = 'Agency')",
    "an open invitation elsewhere, and a directory that made them inactive": ELSEWHERE.format("now()")
    + "; INSERT INTO directory_people (account_id, user_id, user_name, said, inactive_role) SELECT accounts.id, "
    "users.id, 'mia', '{}', 'MEMBER' FROM users, accounts WHERE email LIKE 'mia@%' AND name = 'Other'",
}
ENDS = {
    "it lapses": "UPDATE staff SET invited_at = now() - interval '8 days' WHERE invited_at IS NOT NULL",
    "whoever invited is an admin no more": "UPDATE staff SET role = 'MEMBER' WHERE email LIKE 'adam@%'",
    "whoever invited has left": "DELETE FROM staff WHERE email LIKE 'adam@%'",
}


async def invited(world: World, by: Client) -> tuple[Client, str]:
    """Mia, who belonged nowhere and is invited, signed in; and the invitation's id."""
    await world.database.execute(NOWHERE)
    answer = await by.do(INVITE, account=str(world.account_id), email=email("mia"), role="MEMBER")
    return await world.sign_in("mia"), answer["staffMember"]["invitation"]["id"]


async def is_signed_in(client: Client) -> bool:
    return (await client.ask(VIEWER))["viewer"] is not None


@pytest.mark.parametrize("has", NOT_ANY_MORE.values(), ids=NOT_ANY_MORE.keys())
async def test_an_invitation_that_is_taken_back_takes_the_session_along(world: World, has: str) -> None:
    olive = await world.sign_in("olive")
    mia, invitation = await invited(world, olive)
    await world.database.execute(has)
    revoked = await olive.do(REVOKE, account=str(world.account_id), id=invitation)
    assert revoked["__typename"] == "InvitationRevoked"
    assert not await is_signed_in(mia)
    assert await is_signed_in(olive)


@pytest.mark.parametrize("has", STILL.values(), ids=STILL.keys())
async def test_but_not_of_somebody_who_has_something_still(world: World, has: str) -> None:
    olive = await world.sign_in("olive")
    mia, invitation = await invited(world, olive)
    await world.database.execute(has)
    await olive.do(REVOKE, account=str(world.account_id), id=invitation)
    await prune(world.database)
    assert await is_signed_in(mia)


async def test_nobody_comes_in_on_it_in_the_moment_in_which_it_is_taken_back(world: World) -> None:
    olive = await world.sign_in("olive")
    _, invitation = await invited(world, olive)
    await asyncio.gather(
        world.client().do(SIGN_IN, email=email("mia"), password=PASSWORD),
        olive.do(REVOKE, account=str(world.account_id), id=invitation),
    )
    of_mia = "SELECT count(*) FROM sessions JOIN users ON users.id = user_id WHERE email = $1"
    assert await world.database.fetchval(of_mia, email("mia")) == 0


@pytest.mark.parametrize("ends", ENDS.values(), ids=ENDS.keys())
async def test_housekeeping_signs_out_whose_invitation_holds_no_more(world: World, ends: str) -> None:
    mia, _ = await invited(world, await world.sign_in("adam"))
    await prune(world.database)
    assert await is_signed_in(mia)
    await world.database.execute(ends)
    await prune(world.database)
    assert not await is_signed_in(mia)


@pytest.mark.parametrize("has", STILL.values(), ids=STILL.keys())
async def test_but_nobody_who_has_something_still(world: World, has: str) -> None:
    mia, _ = await invited(world, await world.sign_in("olive"))
    await world.database.execute(ENDS["it lapses"])
    await world.database.execute(has)
    await prune(world.database)
    assert await is_signed_in(mia)
