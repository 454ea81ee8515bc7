"""Guessing is charged before it is looked at: parallel guesses, aliases and many challenges buy nothing."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from resolvers.hashing import LONGEST_QUEUE, Asker, Hasher
from tests.client import SERVED, Client
from tests.operations import BEGIN, COMPLETE, DISABLE, MFA_ENABLED, REAUTHENTICATE_WRONGLY, REGENERATE, SIGN_IN, VERIFY
from tests.people import PASSWORD, Factor, World, email

TEN_MINUTES = "interval '10 minutes'"


async def guess(client: Client, code: str = "000000") -> dict[str, Any]:
    """One guess by someone signed in."""
    return await client.do(DISABLE, code=code)


async def age_failures(world: World, by: str) -> None:
    """Move all failures into the past."""
    await world.database.execute(
        f"UPDATE throttles SET failures = ARRAY(SELECT f - interval '{by}' FROM unnest(failures) AS f), "
        f"locked_until = locked_until - interval '{by}'"
    )


async def test_ten_wrong_codes_lock_code_entry_for_fifteen_minutes(world: World) -> None:
    client = await world.sign_in("mia")
    factor = await world.enroll(client)
    answers = [await guess(client) for _ in range(10)]
    assert [a["attemptsRemaining"] for a in answers] == list(range(9, -1, -1))
    locked = await guess(client, await factor.code())
    assert locked["__typename"] == "TooManyAttempts"
    (event,) = await world.events("MFA_CHALLENGE_LOCKED")
    assert event["data"]["until"][:23] == locked["retryAt"][:23]
    assert (await client.ask(MFA_ENABLED))["viewer"]["mfa"]["enabled"] is True

    await age_failures(world, "14 minutes 45 seconds")
    assert (await guess(client, await factor.code()))["__typename"] == "TooManyAttempts"
    await age_failures(world, "15 seconds")
    assert (await guess(client, await factor.code()))["__typename"] == "MfaDisabled"


async def test_the_lock_lasts_fifteen_minutes_from_the_tenth_failure_however_they_were_spread(world: World) -> None:
    client = await world.sign_in("mia")
    await world.enroll(client)
    for _ in range(9):
        await guess(client)
    await age_failures(world, "14 minutes")
    await guess(client)
    await age_failures(world, "2 minutes")
    assert (await guess(client))["__typename"] == "TooManyAttempts"


async def test_the_lock_holds_over_all_challenges_and_operations(world: World) -> None:
    client = await world.sign_in("mia")
    factor = await world.enroll(client)
    for _ in range(2):
        other, token = await world.challenge("mia")
        for _ in range(4):
            await other.do(COMPLETE, token=token, code={"totp": "000000"})
    for _ in range(2):
        await guess(client)
    other, token = await world.challenge("mia")
    answer = await other.do(COMPLETE, token=token, code={"backupCode": factor.backup_codes[0]})
    assert answer["__typename"] == "TooManyAttempts"
    assert len(await world.events("MFA_CHALLENGE_LOCKED")) == 1


async def test_a_challenge_is_not_charged_for_a_guess_that_is_refused(world: World) -> None:
    client = await world.sign_in("mia")
    factor = await world.enroll(client)
    other, token = await world.challenge("mia")
    for _ in range(10):
        await guess(client)
    answers = [await other.do(COMPLETE, token=token, code={"totp": await factor.code()}) for _ in range(6)]
    assert {answer["__typename"] for answer in answers} == {"TooManyAttempts"}
    assert await world.database.fetchval("SELECT attempts FROM challenges") == 0


async def test_parallel_guesses_are_looked_at_ten_times_at_most(world: World) -> None:
    client = await world.sign_in("mia")
    await world.enroll(client)
    answers = await asyncio.gather(*(guess(client) for _ in range(60)))
    assert Counter(a["__typename"] for a in answers) == {"InvalidCode": 10, "TooManyAttempts": 50}
    assert len(await world.events("MFA_CHALLENGE_LOCKED")) == 1


async def test_a_hundred_aliases_in_one_document_are_a_hundred_guesses(world: World) -> None:
    client = await world.sign_in("mia")
    await world.enroll(client)
    fields = " ".join(f'a{n}: disableMfa(input: {{code: "{n:06}"}}) {{ __typename }}' for n in range(100))
    data = await client.ask(f"mutation {{ {fields} }}")
    assert Counter(value["__typename"] for value in data.values()) == {"InvalidCode": 10, "TooManyAttempts": 90}


async def test_a_right_code_is_not_charged(world: World) -> None:
    client = await world.sign_in("mia")
    factor = await world.enroll(client)
    for _ in range(12):
        await world.forget_spent_steps("mia")
        other, token = await world.challenge("mia")
        answer = await other.do(COMPLETE, token=token, code={"totp": await factor.code()})
        assert answer["__typename"] == "SignedIn"
    assert (await guess(client))["attemptsRemaining"] == 9


async def test_a_success_does_not_clear_the_failures(world: World) -> None:
    client = await world.sign_in("mia")
    factor = await world.enroll(client)
    await guess(client)
    other, token = await world.challenge("mia")
    await other.do(COMPLETE, token=token, code={"totp": await factor.code()})
    assert (await guess(client))["attemptsRemaining"] == 8


async def test_thirty_wrong_codes_in_a_day_lock_until_one_is_a_day_old(world: World) -> None:
    client = await world.sign_in("mia")
    await world.enroll(client)
    for _ in range(3):
        for _ in range(10):
            assert (await guess(client))["__typename"] == "InvalidCode"
        await age_failures(world, "20 minutes")
    assert (await guess(client))["__typename"] == "TooManyAttempts"
    await age_failures(world, "23 hours")
    assert (await guess(client))["__typename"] == "InvalidCode"


async def test_one_persons_lock_is_nobody_elses(world: World) -> None:
    mia, adam = await world.sign_in("mia"), await world.sign_in("adam")
    await world.enroll(mia)
    await world.enroll(adam)
    for _ in range(11):
        await guess(mia)
    assert (await guess(adam))["__typename"] == "InvalidCode"


@pytest.mark.parametrize("name", ["mia", "nobody"])
async def test_ten_wrong_passwords_lock_the_email_from_that_address_known_or_not(world: World, name: str) -> None:
    client = world.client()
    answers = await asyncio.gather(*(client.do(SIGN_IN, email=email(name), password=f"wrong {n}") for n in range(20)))
    assert Counter(a["__typename"] for a in answers) == {"InvalidCredentials": 10, "TooManyAttempts": 10}
    answer = await client.do(SIGN_IN, email=email(name).upper(), password=PASSWORD)
    assert answer["__typename"] == "TooManyAttempts"
    assert len(await world.events("SIGN_IN_LOCKED")) == (1 if name == "mia" else 0)
    assert (await client.do(SIGN_IN, email=email("adam"), password=PASSWORD))["__typename"] == "SignedIn"


async def test_reauthentication_counts_as_guessing_the_password(world: World) -> None:
    client = await world.sign_in("mia")
    answers = [await client.do(REAUTHENTICATE_WRONGLY) for _ in range(11)]
    assert answers[9]["__typename"] == "InvalidCredentials"
    assert answers[10]["__typename"] == "TooManyAttempts"


@asynccontextmanager
async def no_room_for_a_hash(world: World) -> AsyncIterator[None]:
    """As many hashes as may wait are waiting."""
    hasher, done = SERVED[world.base_url].state.service.hasher, threading.Event()
    askers = [Asker(str(n), is_stranger) for n in range(2 * LONGEST_QUEUE) for is_stranger in (False, True)]
    waiting = [asyncio.create_task(hasher.run(asker, done.wait)) for asker in askers]
    await asyncio.sleep(0)  # until each has begun
    yield
    done.set()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_guess_that_nobody_had_time_to_look_at_is_not_charged(world: World) -> None:
    mia, adam = await world.sign_in("mia"), await world.sign_in("adam")
    factor = await world.enroll(mia)
    begun = await adam.do(BEGIN)
    first = await Factor(begun["manualEntryKey"].replace(" ", ""), []).code()
    other, token = await world.challenge("mia")
    await world.database.execute("DELETE FROM throttles")  # what the mails of enrolling are counted by
    async with no_room_for_a_hash(world):
        assert await world.client().refusal(SIGN_IN, email=email("olive"), password=PASSWORD) == "RATE_LIMITED"
        assert await other.refusal(COMPLETE, token=token, code={"backupCode": factor.backup_codes[0]}) == "RATE_LIMITED"
        assert await mia.refusal(REGENERATE, code=await factor.code()) == "RATE_LIMITED"
        assert await adam.refusal(VERIFY, code=first) == "RATE_LIMITED"
    assert await world.database.fetchval("SELECT sum(cardinality(failures)) FROM throttles") == 0


async def test_hashes_leave_a_core_to_the_loop_and_the_database() -> None:
    cores, before, hasher, done = os.cpu_count() or 2, set(threading.enumerate()), Hasher(), threading.Event()
    waiting = [asyncio.create_task(hasher.run(Asker(str(n)), done.wait)) for n in range(cores + 1)]
    await asyncio.sleep(0)  # until each has begun
    hashing = [thread for thread in threading.enumerate() if thread not in before and thread.name.startswith("hash")]
    done.set()
    await asyncio.gather(*waiting)
    hasher.close()
    assert len(hashing) == max(1, cores - 1)


async def test_whoever_is_locked_out_is_told_in_the_headers_for_how_long(world: World) -> None:
    client = await world.sign_in("mia")
    answers = [
        await client.http.post(
            "/graphql", json={"query": SIGN_IN, "variables": {"email": email("mia"), "password": "wrong"}}
        )
        for _ in range(11)
    ]
    assert "ratelimit" not in answers[9].headers
    assert answers[10].headers["ratelimit-policy"] == '"tries";q=10;w=900'
    name, remaining, wait = answers[10].headers["ratelimit"].split(";")
    assert (name, remaining) == ('"tries"', "r=0")
    assert 0 < int(wait.removeprefix("t=")) <= 900
