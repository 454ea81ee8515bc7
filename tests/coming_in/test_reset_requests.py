"""Asking for a link to set a new password: the same for known and unknown, and never too often."""

from __future__ import annotations

import asyncio
from ipaddress import ip_network
from typing import Any

import asyncpg
import httpx
import pytest

from server.app import create_app
from tests.client import Client, http_client, serving, settings_for
from tests.coming_in.operations import REQUEST
from tests.people import World, email, make_world


async def ask(world: World, address: str, **headers: str) -> dict[str, Any]:
    return await world.client(**headers).do(REQUEST, email=address)


async def known_events(world: World) -> list[dict[str, Any]]:
    """The requests of people that there are."""
    people = {row["id"] for row in await world.database.fetch("SELECT id FROM users")}
    return [event for event in await world.events("PASSWORD_RESET_REQUESTED") if event["subject_id"] in people]


async def test_known_and_unknown_get_the_same_answer_and_leave_alike_rows(world: World) -> None:
    known = await ask(world, " MIA@Agency.Example ")
    unknown = await ask(world, email("nobody"))
    assert known == unknown
    assert known["__typename"] == "PasswordResetRequested"
    events = await world.events("PASSWORD_RESET_REQUESTED")
    assert len(events) == 2
    assert [event["subject_id"] for event in await known_events(world)] == [await world.user_id("mia")]
    # It shows in no account's log before a worker has looked at it: that would take longer for somebody known.
    assert await world.database.fetchval("SELECT count(*) FROM account_events") == 0
    assert all("mia" not in str(event["data"]) for event in events)


async def test_no_one_is_emailed_or_asked_for_a_link_more_often_than_the_links_hold(world: World) -> None:
    answers = [await ask(world, email("mia")) for _ in range(5)]
    assert {answer["__typename"] for answer in answers} == {"PasswordResetRequested"}
    assert len(await known_events(world)) == 3
    refused = await ask(world, email("mia"))
    assert refused["__typename"] == "TooManyAttempts"
    assert refused["retryAt"]
    assert (await ask(world, email("nobody")))["__typename"] == "PasswordResetRequested"


async def test_an_unknown_email_is_throttled_alike(world: World) -> None:
    kinds = [(await ask(world, email("nobody")))["__typename"] for _ in range(6)]
    assert kinds == ["PasswordResetRequested"] * 5 + ["TooManyAttempts"]
    assert len(await world.events("PASSWORD_RESET_REQUESTED")) == 3


async def test_strangers_from_many_addresses_cannot_keep_a_person_from_having_a_link(
    world: World, database_url: str
) -> None:
    settings = settings_for(database_url, trusted_proxies=(ip_network("127.0.0.1"),))
    async with serving(settings) as base_url:
        behind = World(base_url, world.database, world.account_id, world.other_account_id, world.clients)
        for number in range(12):
            answer = await ask(behind, email("mia"), **{"x-forwarded-for": f"203.0.113.{number}"})
            assert answer["__typename"] == "PasswordResetRequested"
    # Three are on their way and hold for half an hour; after it the next may leave.
    assert len(await known_events(world)) == 3
    await world.database.execute(
        "UPDATE throttles SET failures = ARRAY(SELECT f - interval '31 min' FROM unnest(failures) f)"
    )
    await ask(world, email("mia"))
    assert len(await known_events(world)) == 4


async def test_one_address_asks_for_fifty_people_and_no_more(world: World) -> None:
    client = world.client()
    answers = await asyncio.gather(*(client.do(REQUEST, email=f"{n}@agency.example") for n in range(60)))
    kinds = [answer["__typename"] for answer in answers]
    assert (kinds.count("PasswordResetRequested"), kinds.count("TooManyAttempts")) == (50, 10)


@pytest.mark.parametrize("address", ["", "no address", "a@b", "ｍｉａ@agency.example", "x" * 5000])
async def test_what_is_no_address_is_told_so(world: World, address: str) -> None:
    refused = await ask(world, address)
    assert refused["__typename"] == "InvalidInput"
    assert await world.events("PASSWORD_RESET_REQUESTED") == []


async def test_known_and_unknown_cost_the_same_statements_with_the_same_rows_written(
    database_url: str, database: asyncpg.Connection[asyncpg.Record]
) -> None:
    app = create_app(settings_for(database_url, pool_size=1))
    async with (
        app.router.lifespan_context(app),
        http_client(transport=httpx.ASGITransport(app), base_url="http://localhost") as http,
    ):
        client = Client(http)
        await make_world("http://localhost", database)
        sent: dict[str, list[tuple[str, str]]] = {}
        records: list[asyncpg.connection.LoggedQuery] = []
        async with app.state.service.database.pool.acquire() as connection:
            connection.add_query_logger(records.append)
        for name in ("adam", "mia", "nobody"):  # the first one prepares what all use
            records.clear()
            await client.do(REQUEST, email=email(name))
            sent[name] = [(record.query, str(record.exception)) for record in records]
    assert len(sent["mia"]) > 3
    assert sent["mia"] == sent["nobody"]
