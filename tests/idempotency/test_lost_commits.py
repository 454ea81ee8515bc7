"""A change that was committed as the way to the database ended: nobody says that nothing was changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest
import pytest_asyncio

from db.pool import Database, open_database
from rules.failures import UNSURE, ServiceUnavailable
from tests.client import GraphQLError, serving, settings_for
from tests.idempotency.keyed import by_cookie, cookie_of, new_key, refused, send
from tests.operations import VIEWER_EMAIL
from tests.people import PASSWORD, World, make_world
from tests.proxy import losing_commits

Lossy = tuple[World, Callable[[], None]]
NOTHING = ServiceUnavailable().message


@pytest_asyncio.fixture
async def lossy(database_url: str, database: asyncpg.Connection[asyncpg.Record]) -> AsyncIterator[Lossy]:
    """The cast, a server over a way to the database that may end, and what ends it with the next commit."""
    async with losing_commits(database_url) as (url, lose), serving(settings_for(url)) as base_url:
        world = await make_world(base_url, database)
        yield world, lose
        for client in world.clients:
            await client.aclose()


async def test_it_is_said_that_this_is_not_known_and_the_key_brings_the_answer_back(lossy: Lossy) -> None:
    world, lose = lossy
    olive = await by_cookie(world, "olive")
    olive.patient = False
    key, given = new_key(), {"accountId": str(world.account_id), "requireMfa": True}
    lose()
    with pytest.raises(GraphQLError) as raised:
        await send(olive, "updateSecurityPolicy", key, **given)
    assert (raised.value.code, raised.value.errors[0]["message"]) == ("SERVICE_UNAVAILABLE", UNSURE)
    assert len(await world.events("POLICY_ENABLED")) == 1
    assert (await send(olive, "updateSecurityPolicy", key, **given))["__typename"] == "SecurityPolicyUpdated"
    assert len(await world.events("POLICY_ENABLED")) == 1


async def test_a_cookie_that_was_renewed_comes_with_the_answer_alone(lossy: Lossy) -> None:
    world, lose = lossy
    mia = await by_cookie(world, "mia")
    mia.patient, before, key = False, cookie_of(mia.http), new_key()
    lose()
    assert await refused(mia, "reauthenticate", key, password=PASSWORD) == "SERVICE_UNAVAILABLE"
    assert cookie_of(mia.http) == before
    assert (await send(mia, "reauthenticate", key, password=PASSWORD))["__typename"] == "Reauthenticated"
    assert cookie_of(mia.http) != before
    assert (await mia.ask(VIEWER_EMAIL))["viewer"] is not None


@pytest_asyncio.fixture
async def way(database_url: str) -> AsyncIterator[Database]:
    """A way to the database of a process."""
    database = await open_database(database_url, 1)
    yield database
    await database.close()


async def test_whatever_ends_it_before_the_commit_has_changed_nothing(way: Database) -> None:
    with pytest.raises(ServiceUnavailable) as raised:
        async with way.transaction() as connection:
            connection.terminate()
            await connection.execute("SELECT")
    assert raised.value.message == NOTHING


async def test_what_the_database_refuses_to_commit_is_not_in_doubt(way: Database) -> None:
    async with way.connection() as connection:
        await connection.execute("CREATE TABLE once (what int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(asyncpg.UniqueViolationError):
        async with way.transaction() as connection:
            await connection.execute("INSERT INTO once VALUES (1), (1)")


async def test_nor_is_what_it_has_to_roll_back_for_others(way: Database) -> None:
    async with way.connection() as connection:
        await connection.execute("CREATE TABLE busy (what int)")
        await connection.execute(
            "CREATE FUNCTION give_way() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END $$"
        )
        await connection.execute(
            "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON busy DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION give_way()"
        )
    with pytest.raises(ServiceUnavailable) as raised:
        async with way.transaction() as connection:
            await connection.execute("INSERT INTO busy VALUES (1)")
    assert raised.value.message == NOTHING
