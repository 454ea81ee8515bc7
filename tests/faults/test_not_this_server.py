"""A database that is there and does not do what it is asked: read-only after a failover, full, or busy with others."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from db.pool import open_database
from resolvers.second_factor import NO_CODE
from rules.failures import ServiceUnavailable
from tests.account.acts import save
from tests.client import serving, settings_for
from tests.databases import end_connections, until_waiting
from tests.line import Line
from tests.operations import BEGIN, COMPLETE, SIGN_IN, VIEWER_EMAIL
from tests.people import PASSWORD, World, email, make_world
from tests.proxy import FATAL, prompting
from tests.waiting import until

AWAY = [
    *("08006", "25006", "3D000", "40001", "40P01", "53100", "53300", "55000", "55P03"),
    *("57014", "57P01", "57P02", "57P03", "58030"),
]
TROUBLE = "The database cannot be used now"
SAVES = 12
READERS = 8


async def refuse(database: asyncpg.Connection[asyncpg.Record], state: str, *changes: str) -> None:
    """Let all such changes be counted in `asked` and refused with that SQLSTATE."""
    await database.execute("CREATE SEQUENCE asked")
    await database.execute(
        f"""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM nextval('asked'); RAISE EXCEPTION 'refused' USING ERRCODE = '{state}'; END $$
        """
    )
    for change in changes:
        await database.execute(f"CREATE TRIGGER refuse BEFORE {change} EXECUTE FUNCTION refuse()")


async def refuse_inserts(database: asyncpg.Connection[asyncpg.Record], table: str, state: str) -> None:
    """Let every insert into the table be counted in `asked` and refused with that SQLSTATE."""
    await refuse(database, state, f"INSERT ON {table} FOR EACH STATEMENT")


async def turn(database: asyncpg.Connection[asyncpg.Record], *, read_only: bool) -> None:
    """Let connections to the test's database that are made from now on be read-only, or not."""
    name = await database.fetchval("SELECT current_database()")
    await database.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {'on' if read_only else 'off'}")


@pytest.mark.parametrize("state", AWAY)
async def test_what_the_database_cannot_do_now_is_no_fault_of_ours(world: World, state: str) -> None:
    await refuse_inserts(world.database, "sessions", state)
    client = world.client()
    client.patient = False
    assert await client.refusal(SIGN_IN, email=email("mia"), password=PASSWORD) == "SERVICE_UNAVAILABLE"
    await world.database.execute("DROP TRIGGER refuse ON sessions")
    await world.sign_in("mia")


async def test_a_wrong_statement_is_still_our_fault(world: World) -> None:
    await refuse_inserts(world.database, "sessions", "22012")
    client = world.client()
    assert await client.refusal(SIGN_IN, email=email("mia"), password=PASSWORD) == "INTERNAL_SERVER_ERROR"


async def test_a_charge_that_cannot_be_given_back_hides_no_answer(world: World) -> None:
    await world.enroll(await world.sign_in("mia"))
    client, token = await world.challenge("mia")
    client.patient = False
    await refuse(
        world.database,
        "55P03",
        "UPDATE ON throttles FOR EACH ROW WHEN (cardinality(new.failures) < cardinality(old.failures))",
        "UPDATE ON challenges FOR EACH ROW WHEN (new.attempts < old.attempts)",
    )
    answer = await client.do(COMPLETE, token=token, code={"totp": "no code"})
    assert (answer["__typename"], answer["message"]) == ("InvalidCode", NO_CODE)
    assert await world.database.fetchval("SELECT last_value FROM asked") == 2


async def test_connections_that_turned_read_only_are_made_anew_at_the_first_refusal(world: World) -> None:
    mia = await world.sign_in("mia", patient=False)
    await turn(world.database, read_only=True)
    await end_connections(world.database)
    while (await mia.http.get("/healthz")).status_code != 200:
        await asyncio.sleep(0.05)  # until the pool has found out and connected again
    await asyncio.gather(*(mia.http.get("/healthz") for _ in range(READERS)))  # several of them
    await turn(world.database, read_only=False)
    assert await mia.refusal(BEGIN) == "SERVICE_UNAVAILABLE"
    for _ in range(READERS):
        assert (await mia.do(BEGIN))["__typename"] == "MfaEnrollment"


async def test_what_the_driver_cannot_make_sense_of_is_no_fault_of_ours(
    database_url: str, database: asyncpg.Connection[asyncpg.Record]
) -> None:
    async with prompting(database_url) as (url, say), serving(settings_for(url, pool_size=1)) as base_url:
        world = await make_world(base_url, database)
        mia = await world.sign_in("mia")
        mia.patient = False
        say(FATAL)  # and yet the connection stays
        body = await mia.raw(BEGIN)
        assert body["errors"][0]["extensions"]["code"] == "SERVICE_UNAVAILABLE"
        assert (await mia.do(BEGIN))["__typename"] == "MfaEnrollment"
        await world.clients[0].aclose()


async def test_a_pool_tells_the_driver_s_confusion_from_a_wrong_statement(database_url: str) -> None:
    async with prompting(database_url) as (url, say):
        pool = await open_database(url, 1)
        async with pool.connection() as connection:
            await connection.fetchval("SELECT 1")
            say(FATAL)
            await asyncio.sleep(0)
        with pytest.raises(ServiceUnavailable) as raised:
            async with pool.connection() as connection:
                while True:  # until it has heard it
                    await connection.fetchval("SELECT 1")
        assert isinstance(raised.value.__cause__, asyncpg.InternalClientError)
        async with pool.connection() as connection:
            assert await connection.fetchval("SELECT 2") == 2
        await pool.close()


async def test_a_relay_and_a_worker_live_through_a_failover_and_say_so_once_a_second(line: Line) -> None:
    parts = await line.start("relay", "worker", "beat")
    await line.happen(await line.world.user_id("mia"))
    await line.mailbox.wait_for(1)
    begun = await line.database.fetchval("SELECT clock_timestamp()")
    await turn(line.database, read_only=True)
    await end_connections(line.database)
    await line.happen(await line.world.user_id("adam"))
    relay = parts[0]
    await relay.wait_for_output("ReadOnlySQLTransactionError")
    await until(lambda: relay.output.count(TROUBLE) > 3, "it says so again and again")
    said = relay.output.count(TROUBLE)
    lasted = await line.database.fetchval("SELECT clock_timestamp() - $1::timestamptz", begun)
    assert said <= 1 + lasted.total_seconds()
    await turn(line.database, read_only=False)
    await line.let_time_pass()
    await line.until_all("sent", 2)
    assert all(part.child.poll() is None for part in parts)
    assert [part.output for part in parts if "Traceback" in part.output] == []


@pytest.mark.parametrize("state", ["53100", "55P03"])
async def test_trouble_of_the_database_counts_as_nobodys_crash(line: Line, state: str) -> None:
    await refuse_inserts(line.database, "deliveries", state)
    await line.happen(await line.world.user_id("mia"))
    await line.database.execute("UPDATE events SET attempts = 9")
    (worker,) = await line.start("worker")
    await line.start("relay", "beat")

    for tries in range(1, 6):

        async def has_been_refused(tries: int = tries) -> object:
            return await line.database.fetchval(
                "SELECT last_value >= $1 AND is_called AND (SELECT attempts FROM events) = 9 FROM asked", tries
            )

        await line.until(has_been_refused, f"{tries} tries have been refused, and given back")
        await line.let_time_pass()
    assert await line.database.fetchval("SELECT failure IS NULL AND attempts <= 10 FROM events")
    await line.database.execute("DROP TRIGGER refuse ON deliveries")
    await line.let_time_pass()
    await line.until_all("sent", 1)
    assert "Traceback" not in worker.output


async def test_one_locked_row_starves_nobody(world: World, database_url: str) -> None:
    olive, sam = [await world.sign_in(name, patient=False) for name in ("olive", "sam")]
    locker = await asyncpg.connect(database_url)
    async with locker.transaction():
        await locker.execute("SELECT FROM accounts WHERE id = $1 FOR NO KEY UPDATE", world.account_id)
        saves = [asyncio.create_task(save(olive, world, True, days)) for days in range(SAVES)]
        await until_waiting(world.database)
        while not all(task.done() for task in saves):
            assert (await sam.ask(VIEWER_EMAIL))["viewer"]["email"] == email("sam")
            await world.sign_in("mia", patient=False)
        outcomes = [task.exception() for task in saves]
    assert {getattr(outcome, "code", None) for outcome in outcomes} == {"SERVICE_UNAVAILABLE"}
    await locker.close()
    await save(olive, world, True, 3)
