"""Owners and admins see where their staff are signed in, without tokens, and end sessions one by one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.alerts.operations import END_STAFF_SESSION, STAFF_SESSIONS
from tests.client import Client
from tests.operations import VIEWER
from tests.people import World, email


async def of(world: World, name: str) -> dict[str, str]:
    """The variables that name a member of the agency."""
    return {"account": str(world.account_id), "staff": str(await world.staff_id(name))}


async def sessions(client: Client, world: World, name: str = "mia") -> list[dict[str, Any]]:
    """The member's sessions as this client sees them."""
    found = (await client.ask(STAFF_SESSIONS, **await of(world, name)))["account"]["staffSessions"]
    return list(found)


async def newest_of(world: World, name: str) -> str:
    """The id of the person's newest session."""
    return str(
        await world.database.fetchval(
            "SELECT id FROM sessions WHERE user_id = $1 ORDER BY created_at DESC LIMIT 1", await world.user_id(name)
        )
    )


@pytest.mark.parametrize("name", ["olive", "adam"])
async def test_one_session_ends_and_the_others_stay(world: World, name: str) -> None:
    phone, desk = await world.sign_in("mia"), await world.sign_in("mia")
    manager = await world.sign_in(name)
    ended = await newest_of(world, "mia")
    seen = await sessions(manager, world)
    assert len(seen) == 2
    assert "gh_s_" not in str(seen)
    answer = await manager.do(END_STAFF_SESSION, **await of(world, "mia"), session=ended)
    assert answer == {"__typename": "StaffSessionEnded", "sessionId": ended}
    assert (await desk.ask(VIEWER))["viewer"] is None
    assert (await phone.ask(VIEWER))["viewer"]["email"] == email("mia")
    assert len(await sessions(manager, world)) == 1
    (event,) = await world.events("STAFF_SESSION_ENDED")
    assert event["subject_id"] == await world.user_id("mia")
    assert await manager.refusal(END_STAFF_SESSION, **await of(world, "mia"), session=ended) == "NOT_FOUND"


async def test_of_many_at_once_one_ends_it(world: World) -> None:
    await world.sign_in("mia")
    olive, ended = await world.sign_in("olive"), await newest_of(world, "mia")
    whose = await of(world, "mia")
    await asyncio.gather(*(olive.raw(END_STAFF_SESSION, **whose, session=ended) for _ in range(5)))
    assert len(await world.events("STAFF_SESSION_ENDED")) == 1


async def test_an_admin_ends_no_owners_and_nobody_their_own_this_way(world: World) -> None:
    olive, adam = await world.sign_in("olive"), await world.sign_in("adam")
    for client, name in ((adam, "olive"), (olive, "olive")):
        answer = await client.do(END_STAFF_SESSION, **await of(world, name), session=await newest_of(world, name))
        assert answer["__typename"] == "NotPermitted"
    assert await world.events("STAFF_SESSION_ENDED") == []


async def test_nobody_ends_sessions_of_who_belongs_elsewhere_too(world: World) -> None:
    await world.sign_in("mia")
    await world.database.execute(
        "INSERT INTO staff (account_id, user_id, email, role) VALUES ($1, $2, $3, 'MEMBER')",
        world.other_account_id,
        await world.user_id("mia"),
        email("mia"),
    )
    olive = await world.sign_in("olive")
    answer = await olive.do(END_STAFF_SESSION, **await of(world, "mia"), session=await newest_of(world, "mia"))
    assert answer["__typename"] == "NotPermitted"


async def test_a_session_of_somebody_else_is_not_there(world: World) -> None:
    adam, olive = await world.sign_in("adam"), await world.sign_in("olive")
    session = await newest_of(world, "adam")
    assert await olive.refusal(END_STAFF_SESSION, **await of(world, "mia"), session=session) == "NOT_FOUND"
    assert (await adam.ask(VIEWER))["viewer"] is not None


@pytest.mark.parametrize("name", ["mia", "sam"])
async def test_members_and_strangers_find_nothing_here(world: World, name: str) -> None:
    await world.sign_in("adam")
    client, whose = await world.sign_in(name), await of(world, "adam")
    assert await client.refusal(STAFF_SESSIONS, **whose) == "NOT_FOUND"
    session = await newest_of(world, "adam")
    assert await client.refusal(END_STAFF_SESSION, **whose, session=session) == "NOT_FOUND"


async def test_signed_out_with_an_old_proof_or_as_operator_nothing_ends(world: World) -> None:
    await world.sign_in("mia")
    wanted = await of(world, "mia") | {"session": await newest_of(world, "mia")}
    assert await world.client().refusal(END_STAFF_SESSION, **wanted) == "UNAUTHENTICATED"
    sue = await world.enrolled("sue")
    assert (await sue.do(END_STAFF_SESSION, **wanted))["__typename"] == "NotPermitted"
    olive = await world.sign_in("olive")
    await world.database.execute("UPDATE sessions SET password_at = now() - interval '16 minutes'")
    assert await olive.refusal(END_STAFF_SESSION, **wanted) == "REAUTHENTICATION_REQUIRED"
    assert await world.events("STAFF_SESSION_ENDED") == []
