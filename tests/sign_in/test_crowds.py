"""Many at once: however many guess, whoever else there is has their turn."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count

import pytest

from resolvers.hashing import LONGEST_PAUSE_S, Asker, Hasher
from rules.failures import RateLimited
from rules.slow_hash import HASH_COST
from tests.client import CAPACITY, Client
from tests.operations import COMPLETE
from tests.people import PASSWORD, World, email
from tests.sign_in.strangers import at, guess, proxied_server, what_came_of
from tests.waiting import until

GUESSERS = ["203.0.113.1", "203.0.113.2", "203.0.113.3"]


async def test_a_full_queue_at_one_address_is_nobody_elses(world: World, database_url: str) -> None:
    async with proxied_server(world, database_url, replace(CAPACITY, longest_queue=5)):
        await _flood_one_address(world)


async def _flood_one_address(proxied: World) -> None:
    flood = [at(proxied, "203.0.113.1") for _ in range(40)]
    answers, mine = await asyncio.gather(
        asyncio.gather(*(what_came_of(client, email("mia")) for client in flood)),
        guess(at(proxied, "198.51.100.1"), password=PASSWORD),
    )
    assert mine == "SignedIn"
    assert answers.count("RATE_LIMITED") > 0


async def test_guesses_from_three_addresses_at_names_of_their_own_keep_nobody_out(
    world: World, database_url: str
) -> None:
    async with proxied_server(world, database_url, replace(CAPACITY, hash_cost=HASH_COST, hashes_waiting=20)):
        olive, adam = at(world, "198.51.100.1"), at(world, "198.51.100.2")
        assert await guess(olive, "olive", PASSWORD) == "SignedIn"
        factor = await world.enroll(await world.sign_in("mia"))
        mia, challenge = await world.challenge("mia")
        async with flood(world, GUESSERS) as refused:
            await until(lambda: refused["RATE_LIMITED"] > 100, "more than there is room for")
            assert await what_came_of(olive, email("olive"), PASSWORD) == "SignedIn"
            assert await what_came_of(adam, email("adam"), PASSWORD) == "SignedIn"
            code = {"backupCode": factor.backup_codes[0]}
            answered = await mia.do(COMPLETE, token=challenge, code=code)
            assert answered["__typename"] == "SignedIn"


@asynccontextmanager
async def flood(world: World, addresses: list[str], of_each: int = 12) -> AsyncIterator[Counter[str]]:
    """So many guesses at a time from each address, each at a name of its own; what comes of them."""
    outcomes: Counter[str] = Counter()

    async def go_on(client: Client) -> None:
        for number in count():
            outcomes[await what_came_of(client, f"{id(client)}.{number}@elsewhere.example")] += 1

    guessers = [asyncio.create_task(go_on(at(world, address))) for address in addresses for _ in range(of_each)]
    try:
        yield outcomes
    finally:
        for guesser in guessers:
            guesser.cancel()
        await asyncio.gather(*guessers, return_exceptions=True)


async def test_where_all_places_are_taken_the_newest_of_whoever_has_most_gives_way() -> None:
    hasher, done = Hasher(longest_queue=8), threading.Event()

    def ask(key: str, *, is_stranger: bool = True) -> asyncio.Task[bool]:
        return asyncio.create_task(hasher.run(Asker(key, is_stranger), done.wait))

    running = [ask(f"before {n}") for n in range(max(1, (os.cpu_count() or 2) - 1) + 1)]
    crowd = [ask("crowd") for _ in range(4)]
    one, more, known = ask("one"), ask("crowd"), ask("mia", is_stranger=False)
    await asyncio.sleep(0)  # until each has begun
    done.set()
    served = [*running, *crowd[:3], one, known]
    assert await asyncio.gather(*served) == [True] * len(served)
    for refused in (crowd[3], more):
        with pytest.raises(RateLimited):
            await refused
    hasher.close()


async def test_who_has_gone_gives_way_without_an_error_and_without_a_hash() -> None:
    hasher, done, hashed = Hasher(longest_queue=4), threading.Event(), threading.Event()
    running = [asyncio.create_task(hasher.run(Asker(str(n), True), done.wait)) for n in range(os.cpu_count() or 2)]
    crowd = [asyncio.create_task(hasher.run(Asker("crowd", True), hashed.set)) for _ in range(2)]
    await asyncio.sleep(0)  # until each has begun
    one = asyncio.create_task(hasher.run(Asker("one", True), done.wait))
    for gone in crowd:
        gone.cancel()
    await asyncio.sleep(0)
    done.set()
    assert await asyncio.gather(*running, one) == [True] * (len(running) + 1)
    assert not hashed.is_set()
    hasher.close()


async def test_a_wrong_guess_is_answered_no_sooner_than_by_the_slowest_kind_of_hash() -> None:
    hasher, is_over = Hasher(), threading.Event()

    def slow() -> bool:
        until_s = time.thread_time() + LONGEST_PAUSE_S
        while time.thread_time() < until_s:
            hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 10_000)
        return False

    def quick() -> bool:
        is_over.set()
        return False

    assert await hasher.compare(Asker("mia"), slow) is False
    answer = asyncio.create_task(hasher.compare(Asker("adam"), quick))
    await until(is_over.is_set, "the quick one's end")
    for _ in range(20):
        await asyncio.sleep(0)
    assert not answer.done()
    assert await answer is False
    hasher.close()
