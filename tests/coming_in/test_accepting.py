"""Whoever has a password when they come by an invitation: its link sets none, and is accepted in a session."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from rules.links import Purpose
from tests.client import Client
from tests.coming_in.links import link_to
from tests.coming_in.operations import ACCEPT, INVITE, MEMBERS, REVOKE, SET
from tests.operations import SIGN_IN
from tests.people import PASSWORD, World, age_proofs, email

NEW = "a wholly other phrase"
OTHER = "one that a thief has chosen"
ADDRESS = "new@agency.example"
WEEK = 7 * 24 * 60


async def invited(world: World, client: Client, account_id: UUID, address: str = ADDRESS) -> str:
    """The token of a fresh invitation to this account."""
    answer = await client.do(INVITE, account=str(account_id), email=address, role="ADMIN")
    assert answer["__typename"] == "StaffInvited", answer
    kind = Purpose.INVITATION
    return await link_to(world, address, kind, about="STAFF_INVITED", minutes=WEEK, account_id=account_id)


async def set_password(world: World, token: str, password: str) -> str:
    answer = await world.client().do(SET, token=token, password=password)
    return f"{answer['__typename']}: {answer.get('message', '')}"


async def signed_in(world: World, address: str, password: str = PASSWORD) -> Client:
    client = world.client()
    answer = await client.do(SIGN_IN, email=address, password=password)
    assert answer["__typename"] == "SignedIn", answer
    client.token = answer["sessionToken"]
    return client


async def accept(client: Client, token: str) -> list[tuple[str, str]] | str:
    """What the person is in which account by then, or what has come of it in its place."""
    answer = await client.do(ACCEPT, token=token)
    if answer["__typename"] != "InvitationAccepted":
        return str(answer["__typename"])
    return sorted((each["account"]["name"], each["role"]) for each in answer["viewer"]["memberships"])


async def test_an_invitations_link_sets_no_password_in_place_of_one_that_was_set_since(world: World) -> None:
    token = await invited(world, await world.sign_in("sam"), world.other_account_id, email("mia"))
    reset = await link_to(world, email("mia"), Purpose.PASSWORD_RESET)
    assert await set_password(world, reset, NEW) == "PasswordSet: "
    mia = await signed_in(world, email("mia"), NEW)
    assert await set_password(world, token, OTHER) == (
        "SignInRequired: You have a password already. Sign in with it to accept the invitation."
    )
    # Nothing has changed: neither the session nor the password, and whoever has it may still accept.
    assert len(await world.events("PASSWORD_CHANGED")) == 1
    assert await world.events("STAFF_ADDED") == []
    assert await accept(mia, token) == [("Agency", "MEMBER"), ("Other", "ADMIN")]
    await signed_in(world, email("mia"), NEW)


async def test_it_sets_that_of_whoever_had_one_before_no_longer_than_the_link_of_a_reset(world: World) -> None:
    token = await invited(world, await world.sign_in("olive"), world.account_id, email("sam"))
    await world.database.execute("UPDATE links SET made_at = made_at - interval '30 minutes'")
    await world.database.execute("UPDATE staff SET invited_at = invited_at - interval '30 minutes'")
    assert (await set_password(world, token, OTHER)).startswith("SignInRequired")
    assert await accept(await signed_in(world, email("sam")), token) == [("Agency", "ADMIN"), ("Other", "OWNER")]


async def test_of_two_invitations_of_somebody_new_one_sets_the_password_and_the_other_is_accepted_by_it(
    world: World,
) -> None:
    one = await invited(world, await world.sign_in("olive"), world.account_id)
    other = await invited(world, await world.sign_in("sam"), world.other_account_id)
    await world.database.execute("UPDATE links SET made_at = made_at - interval '6 days'")
    await world.database.execute("UPDATE staff SET invited_at = invited_at - interval '6 days'")
    kinds = await asyncio.gather(*(set_password(world, token, NEW) for token in (one, other)))
    assert sorted(kind.split(":")[0] for kind in kinds) == ["PasswordSet", "SignInRequired"]
    left = (one, other)[kinds[0].startswith("PasswordSet")]
    assert len(await world.events("STAFF_ADDED")) == 1
    person = await signed_in(world, ADDRESS, NEW)
    assert await accept(person, left) == [("Agency", "ADMIN"), ("Other", "ADMIN")]
    (_, added) = await world.events("STAFF_ADDED")
    assert (added["subject_id"], added["actor_id"]) == (await world.user_id("new"), await world.user_id("new"))
    assert await accept(person, left) == "LinkExpired"


async def test_nobody_else_accepts_it_and_none_that_was_taken_back_or_used(world: World) -> None:
    olive = await world.sign_in("olive")
    token = await invited(world, olive, world.account_id, email("sam"))
    sam = await world.sign_in("sam")
    assert await world.client().refusal(ACCEPT, token=token) == "UNAUTHENTICATED"
    assert await accept(await world.sign_in("mia"), token) == "LinkExpired"
    assert await accept(sam, await link_to(world, email("sam"), Purpose.PASSWORD_RESET)) == "LinkExpired"
    shown = (await olive.ask(MEMBERS, account=str(world.account_id), filter={"state": "INVITED"}))["account"]["staff"]
    await olive.do(REVOKE, account=str(world.account_id), id=shown["nodes"][0]["invitation"]["id"])
    assert await accept(sam, token) == "LinkExpired"
    assert await world.events("STAFF_ADDED") == []


async def test_to_accept_asks_for_a_fresh_proof(world: World) -> None:
    token = await invited(world, await world.sign_in("olive"), world.account_id, email("sam"))
    sam = await world.sign_in("sam")
    await age_proofs(world)
    assert await sam.refusal(ACCEPT, token=token) == "REAUTHENTICATION_REQUIRED"


@pytest.mark.parametrize("case", ["many at once", "a key's session"])
async def test_many_who_accept_at_once_join_once_and_end_what_another_accounts_key_has_begun(
    world: World, case: str
) -> None:
    token = await invited(world, await world.sign_in("olive"), world.account_id, email("sam"))
    sam = await world.sign_in("sam")
    if case == "many at once":
        answers = await asyncio.gather(*(accept(sam, token) for _ in range(8)))
        assert answers.count("LinkExpired") == 7
        assert [("Agency", "ADMIN"), ("Other", "OWNER")] in answers
    else:
        await world.database.execute("UPDATE sessions SET begun_by_account = $1", world.other_account_id)
        assert await sam.do(ACCEPT, token=token) == {"__typename": "InvitationAccepted", "viewer": None}
    assert len(await world.events("STAFF_ADDED")) == 1
