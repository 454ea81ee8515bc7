"""Devices of whoever keeps no cookie: known by program and network, as seen without one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db.pool import Database
from rules import throttling
from rules.devices import digest
from rules.service_keys import Right
from tests.alerts.devices import FIREFOX, by_browser, link_of, sign_in, told
from tests.alerts.operations import REJECT
from tests.people import World, email
from tests.reminders.cast import pool
from tests.service.operations import SERVICE_SIGN_IN, backend

__all__ = ["pool"]


async def test_whoever_keeps_no_cookie_is_new_where_only_those_were_seen_who_do(world: World, pool: Database) -> None:
    await by_browser(world)
    await sign_in(world, FIREFOX.format(146))  # the colleague, by a program that calls itself so
    assert await told(world) == 1
    await sign_in(world, FIREFOX.format(147))
    assert await told(world) == 1
    await world.client().do(REJECT, token=await link_of(world, pool))
    await sign_in(world, FIREFOX.format(147))
    assert await told(world) == 2


async def test_what_a_product_says_of_where_somebody_is_makes_no_program_known(world: World) -> None:
    product, desk = await backend(world, Right.SIGN_IN), {"userAgent": FIREFOX.format(145), "ipAddress": "127.0.0.1"}
    for _ in range(2):
        answer = await product.do(SERVICE_SIGN_IN, input={"email": email("mia"), "client": desk})
        assert answer["__typename"] == "SignedIn"
    assert await told(world) == 0
    await sign_in(world, FIREFOX.format(145))
    assert await told(world) == 1
    await product.do(SERVICE_SIGN_IN, input={"email": email("mia"), "client": desk})
    assert await told(world) == 1


async def seen_before(world: World) -> None:
    """Let Mia have been seen as a version before this one keeps it: alike with a cookie and without."""
    await world.database.execute(
        "INSERT INTO seen_devices (user_id, digest) VALUES ($1, $2)",
        await world.user_id("mia"),
        digest(FIREFOX.format(145), throttling.source("127.0.0.1")),
    )


@pytest.mark.parametrize(("later", "new"), [(timedelta(), 0), (timedelta(days=29), 0), (timedelta(days=31), 1)])
async def test_what_a_version_before_has_seen_is_known_until_its_sessions_have_ended(
    world: World, later: timedelta, new: int
) -> None:
    await seen_before(world)
    await world.database.execute("UPDATE seen_devices SET bearers_until = bearers_until - $1::interval", later)
    await sign_in(world, FIREFOX.format(146))
    await sign_in(world, FIREFOX.format(146))
    assert await told(world) == new


async def test_a_sighting_by_cookie_prolongs_it_for_nobody_else(world: World) -> None:
    await seen_before(world)
    until = "SELECT bearers_until FROM seen_devices WHERE bearers_until IS NOT NULL"
    before = await world.database.fetchval(until)
    mia = await by_browser(world)
    await by_browser(world, mia)
    assert await world.database.fetchval(until) == before is not None
