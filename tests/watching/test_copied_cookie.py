"""A copy of a cookie watches no longer than until its owner has renewed it; what the owner begins anew goes on."""

from __future__ import annotations

import pytest

from tests.client import Client
from tests.operations import (
    SHOW_AGAIN,
    TRY_SIGNING_OUT_OTHERS,
    WATCH_MEMBERS,
    WATCH_PROGRESS,
    WATCH_VIEWER,
    WITH_COOKIE,
)
from tests.people import PASSWORD, World, email
from tests.watching.watch import Watch, until_followed, watching


async def by_cookie(world: World) -> Client:
    """A client on which Adam is signed in by cookie."""
    client = world.client()
    await client.do(WITH_COOKIE, email=email("adam"), password=PASSWORD)
    return client


async def begun(world: World, watch: Watch, subscription: str) -> None:
    """Return once it tells of what changes; all but one tell how things are first."""
    if subscription == WATCH_MEMBERS:
        await until_followed(world)
    else:
        await watch.next()


@pytest.mark.parametrize("subscription", [WATCH_PROGRESS, WATCH_MEMBERS, WATCH_VIEWER])
async def test_a_copy_is_cut_off_within_a_second_without_any_event(world: World, subscription: str) -> None:
    adam = await by_cookie(world)
    async with watching(world, adam, subscription) as stolen:
        await begun(world, stolen, subscription)
        await world.database.execute("UPDATE sessions SET token_hash = sha256(token_hash)")
        with pytest.raises(RuntimeError, match="UNAUTHENTICATED"):
            await stolen.next()


@pytest.mark.parametrize("subscription", [WATCH_PROGRESS, WATCH_MEMBERS, WATCH_VIEWER])
async def test_its_owner_who_shows_again_who_they_are_ends_the_copy_and_begins_anew(
    world: World, subscription: str
) -> None:
    adam = await by_cookie(world)
    async with watching(world, adam, subscription) as stolen:
        await begun(world, stolen, subscription)
        shown = await adam.do(SHOW_AGAIN, input={"password": PASSWORD})
        assert shown["__typename"] == "Reauthenticated"
        with pytest.raises(RuntimeError, match="UNAUTHENTICATED"):
            await stolen.next()
    async with watching(world, adam, WATCH_PROGRESS) as again:
        assert (await again.next())["enrolledCount"] == 0


async def test_whoever_came_by_bearer_token_goes_on(world: World) -> None:
    adam = await world.sign_in("adam")
    async with watching(world, adam, WATCH_PROGRESS) as watch:
        assert (await watch.next())["enrolledCount"] == 0
        assert (await adam.do(TRY_SIGNING_OUT_OTHERS))["__typename"] == "OtherSessionsEnded"
        await world.enroll(adam)
        assert (await watch.next())["enrolledCount"] == 1
