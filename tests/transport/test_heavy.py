"""Of each person's heavy operations one is under way, in the order in which they came."""

from __future__ import annotations

import asyncio

from server.transport.heavy import HEAVY, Heavy
from tests.waiting import soon


async def some_passes() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_one_is_under_way_also_where_another_comes_in_the_moment_in_which_one_ends() -> None:
    heavy, ended = Heavy(), asyncio.Event()
    under_way: list[str] = []
    most = 0

    async def ask(name: str, until: asyncio.Event | None = None) -> None:
        nonlocal most
        async with heavy.one_at_a_time("person:1", HEAVY):
            under_way.append(name)
            most = max(most, len(under_way))
            await (until.wait() if until else some_passes())
            under_way.remove(name)

    async def end_and_ask_again() -> None:
        await ask("first", ended)
        await ask("fourth")  # the second has been woken, and has not begun

    asking = [asyncio.create_task(each) for each in (end_and_ask_again(), ask("second"), ask("third"))]
    await some_passes()
    ended.set()
    await soon(asyncio.gather(*asking))
    assert most == 1


async def test_another_person_and_what_is_small_wait_for_nobodys_heavy_one() -> None:
    heavy = Heavy()
    async with heavy.one_at_a_time("person:1", HEAVY):
        async with heavy.one_at_a_time("person:2", HEAVY), heavy.one_at_a_time("person:1", HEAVY - 1):
            pass
        behind = asyncio.create_task(heavy.one_at_a_time("person:1", HEAVY).__aenter__())
        await some_passes()
        assert not behind.done()
        behind.cancel()
    await soon(heavy.one_at_a_time("person:1", HEAVY).__aenter__())  # whoever left while waiting holds up nobody
