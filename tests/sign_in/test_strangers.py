"""What strangers can do to somebody's sign-in: make other strangers slower, and no more."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from ipaddress import ip_network

import httpx
import pytest
import pytest_asyncio

from rules.links import Purpose
from server.transport.admission import Room
from tests.client import CAPACITY, SERVED, Client, serving, settings_for
from tests.coming_in.links import link_to
from tests.coming_in.operations import CHANGE, REQUEST, SET
from tests.operations import REAUTHENTICATE, SIGN_IN
from tests.people import PASSWORD, World, email
from tests.sign_in.strangers import at, guess, proxied_server

# Whoever puts these in order takes minutes, in which nobody else is answered.
MARKS = "a" + "\u0301" * 60_000 + "\u0316" * 60_000
NEW = "a new and better password"
TWELVE_ADDRESSES = [f"203.0.113.{n}" for n in range(1, 13)]
TWELVE_NETWORKS = [f"2001:db8:0:{n:x}::1" for n in range(1, 13)]  # /64s of one /56


@pytest_asyncio.fixture
async def proxied(world: World, database_url: str) -> AsyncIterator[World]:
    """The world behind a proxy that tells each client's address."""
    async with proxied_server(world, database_url):
        yield world


async def test_nobody_waits_for_what_a_stranger_calls_an_address_or_a_password(world: World) -> None:
    stranger = world.client()
    for given in ({"email": MARKS, "password": "x"}, {"email": email("mia"), "password": MARKS}):
        assert (await stranger.do(SIGN_IN, **given))["__typename"] == "InvalidCredentials"
    labels = "a@" + "\u00fc." * 80_000
    assert (await stranger.do(SIGN_IN, email=labels, password="x"))["__typename"] == "InvalidCredentials"
    for address in (MARKS, labels):
        assert (await stranger.do(REQUEST, email=address))["__typename"] == "InvalidInput"


async def guess_from(world: World, addresses: list[str], count: int) -> Counter[str]:
    """So many wrong passwords for Mia, from these addresses in turn."""
    clients = [at(world, address) for address in addresses]
    return Counter([await guess(clients[n % len(clients)]) for n in range(count)])


async def age_throttles(world: World, by: str) -> None:
    """Move all failures and locks into the past."""
    await world.database.execute(
        f"UPDATE throttles SET failures = ARRAY(SELECT f - interval '{by}' FROM unnest(failures) AS f), "
        f"locked_until = locked_until - interval '{by}'"
    )


@pytest.mark.parametrize("addresses", [TWELVE_ADDRESSES, TWELVE_NETWORKS], ids=["addresses", "one /56"])
async def test_a_hundred_wrong_passwords_from_twelve_addresses_keep_the_person_out_nowhere(
    proxied: World, addresses: list[str]
) -> None:
    known, signed_in = at(proxied, "198.51.100.1"), at(proxied, "198.51.100.2")
    assert await guess(known, password=PASSWORD) == "SignedIn"
    signed_in.token = (await signed_in.do(SIGN_IN, email=email("mia"), password=PASSWORD))["sessionToken"]
    await guess_from(proxied, addresses, 100)

    assert await guess(known, password=PASSWORD) == "SignedIn"
    assert (await signed_in.do(REAUTHENTICATE, password=PASSWORD))["__typename"] == "Reauthenticated"
    assert await guess(at(proxied, "198.51.100.3"), password=PASSWORD) == "SignedIn"
    assert await guess(at(proxied, "2001:db8:ffff::1"), password=PASSWORD) == "SignedIn"


async def test_one_households_ipv6_has_thirty_guesses_at_one_email_and_then_each_line_one(proxied: World) -> None:
    await guess_from(proxied, [f"2001:db8:0:{n:x}::1" for n in range(31)], 31)
    within, beyond = at(proxied, "2001:db8:0:ff::1"), at(proxied, "2001:db8:0:100::1")
    assert [await guess(within) for _ in range(2)] == ["InvalidCredentials", "TooManyAttempts"]
    assert [await guess(beyond) for _ in range(2)] == ["InvalidCredentials"] * 2


async def test_after_a_hundred_in_a_day_the_owner_knows_and_each_stranger_has_one_try_in_fifteen_minutes(
    proxied: World,
) -> None:
    looked_at = await guess_from(proxied, [f"203.0.113.{n}" for n in range(1, 21)], 100)
    assert looked_at == {"InvalidCredentials": 100}
    (slowed,) = await proxied.events("SIGN_IN_SLOWED")
    assert (slowed["subject_id"], slowed["data"]["isMailed"]) == (await proxied.user_id("mia"), True)

    stranger = at(proxied, "198.51.100.7")
    assert [await guess(stranger) for _ in range(3)] == ["InvalidCredentials", "TooManyAttempts", "TooManyAttempts"]
    assert await guess(stranger, password=PASSWORD) == "TooManyAttempts"
    assert len(await proxied.events("SIGN_IN_SLOWED")) == 1
    await age_throttles(proxied, "15 minutes")
    assert await guess(stranger, password=PASSWORD) == "SignedIn"


@pytest.mark.parametrize("before", [0, 99], ids=["closed by its own", "closed since a tally is full"])
async def test_a_guess_that_is_refused_counts_nowhere(proxied: World, before: int) -> None:
    await guess(at(proxied, "203.0.113.1"))
    await proxied.database.execute(
        "UPDATE throttles SET failures = failures || array_fill(now(), ARRAY[$1::int]) WHERE key LIKE 'email:%'", before
    )
    stranger = at(proxied, "198.51.100.7")
    assert {await guess(stranger) for _ in range(10)} >= {"InvalidCredentials"}
    counted = "SELECT key, failures FROM throttles ORDER BY key"
    earlier = await proxied.database.fetch(counted)
    assert {await guess(stranger) for _ in range(5)} == {"TooManyAttempts"}
    assert await proxied.database.fetch(counted) == earlier


async def test_parallel_guesses_from_many_addresses_are_charged_one_after_the_other(proxied: World) -> None:
    await guess_from(proxied, [f"203.0.113.{n}" for n in range(1, 11)], 99)
    clients = [at(proxied, f"198.51.100.{n}") for n in range(1, 9)]
    outcomes = Counter(await asyncio.gather(*(guess(client) for client in clients for _ in range(4))))
    # One more than a hundred may have been let through before the tally was full, at each at most one then.
    assert outcomes["InvalidCredentials"] <= 9
    assert sum(outcomes.values()) == 32


async def test_ten_wrong_ones_of_ones_own_lock_the_device_and_nobody_else(proxied: World) -> None:
    known = at(proxied, "198.51.100.1")
    await guess(known, password=PASSWORD)
    assert [await guess(known) for _ in range(11)] == ["InvalidCredentials"] * 10 + ["TooManyAttempts"]
    assert await guess(known, password=PASSWORD) == "TooManyAttempts"
    assert len(await proxied.events("SIGN_IN_LOCKED")) == 1
    assert await guess(at(proxied, "198.51.100.1"), password=PASSWORD) == "SignedIn"


async def test_where_strangers_have_no_room_whoever_has_signed_in_here_before_signs_in(
    world: World, database_url: str
) -> None:
    known = world.client()
    assert await guess(known, password=PASSWORD) == "SignedIn"
    full = replace(CAPACITY, room=Room(most_owed_s=0.0, of_strangers=0, looks=0))
    async with serving(settings_for(database_url), full) as world.base_url:
        known.http.base_url = httpx.URL(world.base_url)
        assert await guess(known, password=PASSWORD) == "SignedIn"
        assert await world.client().refusal(SIGN_IN, email=email("mia"), password=PASSWORD) == "RATE_LIMITED"
        made_up = {"cookie": "; ".join(f"{name}={value[:-6]}AAAAAA" for name, value in known.http.cookies.items())}
        assert await world.client(**made_up).refusal(SIGN_IN, email=email("mia"), password=PASSWORD) == "RATE_LIMITED"


async def by_session(client: Client, world: World) -> None:
    """Give Mia another password on a device of hers where she is signed in."""
    client.token = (await client.do(SIGN_IN, email=email("mia"), password=PASSWORD))["sessionToken"]
    assert (await client.do(CHANGE, current=PASSWORD, new=NEW))["__typename"] == "PasswordChanged"


async def by_link(client: Client, world: World) -> None:
    """Give Mia another password by a link out of her mailbox."""
    token = await link_to(world, email("mia"), Purpose.PASSWORD_RESET)
    assert (await client.do(SET, token=token, password=NEW))["__typename"] == "PasswordSet"


@pytest.mark.parametrize("change", [by_session, by_link])
async def test_where_an_earlier_password_was_shown_the_next_one_is_guessed_at_as_by_a_stranger(
    proxied: World, change: Callable[[Client, World], Awaitable[None]]
) -> None:
    thief = at(proxied, "203.0.113.1")
    assert await guess(thief, password=PASSWORD) == "SignedIn"
    await change(at(proxied, "198.51.100.1"), proxied)
    assert [await guess(thief) for _ in range(10)] == ["InvalidCredentials"] * 10
    assert await guess(at(proxied, "203.0.113.1"), password=NEW) == "TooManyAttempts"


@pytest.mark.parametrize("change", [by_session, by_link])
async def test_where_the_password_was_changed_nobody_else_at_the_address_keeps_the_person_out(
    proxied: World, change: Callable[[Client, World], Awaitable[None]]
) -> None:
    office = "198.51.100.1"
    known = at(proxied, office)
    await change(known, proxied)
    for _ in range(2):
        await guess_from(proxied, [office], 10)
        assert await guess(at(proxied, office), password=NEW) == "TooManyAttempts"
        assert await guess(known, password=NEW) == "SignedIn"


async def test_fifty_wrong_ones_at_a_shared_address_lock_it_for_fifteen_minutes_and_not_for_whoever_is_known(
    proxied: World,
) -> None:
    office = "198.51.100.1"
    known = at(proxied, office)
    await guess(known, password=PASSWORD)
    for _ in range(5):
        await guess_from(proxied, [office], 10)
        assert await guess(at(proxied, office), password=PASSWORD) == "TooManyAttempts"
        assert await guess(known, password=PASSWORD) == "SignedIn"
        await age_throttles(proxied, "15 minutes")
    assert await guess(at(proxied, office), password=PASSWORD) == "SignedIn"


async def test_a_thousand_made_up_emails_lock_nobody_at_the_office(proxied: World) -> None:
    office = at(proxied, "198.51.100.1")
    await guess(office, "nobody")
    await proxied.database.execute(
        "UPDATE throttles SET failures = array_fill(failures[1], ARRAY[1000]) WHERE key LIKE 'address:%'"
    )
    assert await guess(office, "mia", PASSWORD) == "SignedIn"
    stranger = at(proxied, "198.51.100.1")
    assert [await guess(stranger, "adam") for _ in range(2)] == ["InvalidCredentials", "TooManyAttempts"]
    assert await guess(stranger, "olive", PASSWORD) == "SignedIn"


async def test_what_is_locked_is_refused_without_a_place_in_the_queue_or_a_hash(
    proxied: World, database_url: str
) -> None:
    await guess_from(proxied, ["203.0.113.1"], 10)
    async with proxied_server(proxied, database_url, replace(CAPACITY, longest_queue=0, hashes_waiting=0)):
        assert await at(proxied, "203.0.113.2").refusal(SIGN_IN, email=email("mia"), password="x") == "RATE_LIMITED"
        flood = [at(proxied, "203.0.113.1") for _ in range(20)]
        outcomes = await asyncio.gather(*(guess(client, password=PASSWORD) for client in flood))
    assert set(outcomes) == {"TooManyAttempts"}


async def test_every_lock_is_an_event_and_one_an_hour_is_mailed(proxied: World) -> None:
    await guess_from(proxied, ["203.0.113.1"], 10)
    await guess_from(proxied, ["203.0.113.2"], 10)
    assert [event["data"]["isMailed"] for event in await proxied.events("SIGN_IN_LOCKED")] == [True, False]
    await age_throttles(proxied, "1 hour")
    await guess_from(proxied, ["203.0.113.3"], 10)
    assert [event["data"]["isMailed"] for event in await proxied.events("SIGN_IN_LOCKED")] == [True, False, True]


@pytest.mark.parametrize("forged", ["x", "....", "A" * 70, "A" * 5000, ""])
async def test_a_made_up_device_is_a_strangers(proxied: World, forged: str) -> None:
    await guess_from(proxied, ["203.0.113.1"], 10)
    client = at(proxied, "203.0.113.1")
    client.headers["cookie"] = f"gatehouse-device={forged}"
    assert await guess(client, password=PASSWORD) == "TooManyAttempts"


async def test_a_device_of_one_person_is_a_strangers_for_another_and_can_be_both(proxied: World) -> None:
    client = at(proxied, "203.0.113.1")
    await guess(client, "adam", PASSWORD)
    await guess_from(proxied, ["203.0.113.1"], 10)
    assert await guess(client, "mia", PASSWORD) == "TooManyAttempts"
    await age_throttles(proxied, "15 minutes")
    assert await guess(client, "mia", PASSWORD) == "SignedIn"
    for name in ("mia", "adam"):
        for _ in range(10):
            await guess(at(proxied, "203.0.113.1"), name)
        assert await guess(at(proxied, "203.0.113.1"), name, PASSWORD) == "TooManyAttempts"
        assert await guess(client, name, PASSWORD) == "SignedIn"


async def test_all_networks_of_one_household_are_one_guesser_whatever_port_the_proxy_adds(proxied: World) -> None:
    household = [f"[2001:db8:0:{n:x}::1]:{4000 + n}" for n in range(31)]  # /64s of one /56
    assert await guess_from(proxied, household, 30) == {"InvalidCredentials": 30}
    assert [await guess(at(proxied, household[30])) for _ in range(2)] == ["InvalidCredentials", "TooManyAttempts"]
    neighbour = at(proxied, "[2001:db8:0:100::1]:4000")
    assert [await guess(neighbour) for _ in range(2)] == ["InvalidCredentials"] * 2


async def test_ports_make_no_more_guessers_of_one_address(proxied: World) -> None:
    outcomes = await guess_from(proxied, [f"203.0.113.5:{4000 + n}" for n in range(12)], 12)
    assert outcomes == {"InvalidCredentials": 10, "TooManyAttempts": 2}


def taken(runs: list[list[str]]) -> list[list[str]]:
    """The statements, of which a savepoint's end reads otherwise when what follows it is taken back."""
    return [["SAVEPOINT" if "SAVEPOINT" in text or "ROLLBACK TO" in text else text for text in run] for run in runs]


async def test_a_wrong_password_runs_the_same_statements_for_a_known_email_and_for_none(
    proxied: World, database_url: str
) -> None:
    networks = (ip_network("127.0.0.1"),)
    async with serving(settings_for(database_url, trusted_proxies=networks, pool_size=1)) as base_url:
        proxied.base_url = base_url
        await guess(at(proxied, "203.0.113.9"), "adam")  # the driver asks once for the types that are stored
        run: list[str] = []
        async with SERVED[base_url].state.service.database.pool.acquire() as connection:
            connection.add_query_logger(lambda record: run.append(record.query))
        ran: dict[str, list[list[str]]] = {"mia": [], "nobody": []}
        for name, each in ran.items():
            client = at(proxied, "203.0.113.1")
            for _ in range(11):
                run.clear()
                await guess(client, name)
                each.append(list(run))
        # Once all strangers' are slowed, too.
        await proxied.database.execute(
            "UPDATE throttles SET failures = array_fill(now(), ARRAY[99]) WHERE key LIKE 'email:%'"
        )
        for name, each in ran.items():
            run.clear()
            await guess(at(proxied, "198.51.100.1"), name)
            each.append(list(run))
    assert taken(ran["mia"]) == taken(ran["nobody"])
    assert "INSERT INTO events" in " ".join(ran["mia"][9])
