"""What several fields of a request need is loaded once, whatever comes of the load."""

from __future__ import annotations

import asyncio

import pytest

from resolvers.shared import Shared


class Loads:
    """Counts its loads; each waits until `end` is called with what comes of it."""

    def __init__(self) -> None:
        self.ends: list[asyncio.Future[int]] = []

    async def load(self) -> int:
        self.ends.append(asyncio.get_running_loop().create_future())
        return await self.ends[-1]


async def asked(shared: Shared[int], times: int) -> list[asyncio.Task[int]]:
    """So many who wait for it."""
    tasks = [asyncio.create_task(shared.get()) for _ in range(times)]
    await asyncio.sleep(0)
    return tasks


async def test_whoever_asks_meanwhile_or_later_gets_what_the_one_load_brings() -> None:
    loads = Loads()
    shared = Shared(loads.load)
    tasks = await asked(shared, 3)
    loads.ends[0].set_result(7)
    assert await asyncio.gather(*tasks) == [7, 7, 7]
    assert await shared.get() == 7
    assert len(loads.ends) == 1


async def test_an_error_is_everybodys() -> None:
    loads = Loads()
    shared = Shared(loads.load)
    tasks = await asked(shared, 3)
    loads.ends[0].set_exception(ValueError("no"))
    assert [str(each) for each in await asyncio.gather(*tasks, return_exceptions=True)] == ["no"] * 3
    with pytest.raises(ValueError, match="no"):
        await shared.get()
    assert len(loads.ends) == 1


async def test_a_load_that_is_cancelled_is_the_next_ones() -> None:
    loads = Loads()
    shared = Shared(loads.load)
    first, gone, *others = await asked(shared, 4)
    gone.cancel()
    first.cancel()
    await asyncio.wait([first, gone])
    assert (first.cancelled(), gone.cancelled()) == (True, True)
    await asyncio.sleep(0)
    loads.ends[1].set_result(8)
    assert await asyncio.gather(*others) == [8, 8]
    assert len(loads.ends) == 2


async def test_what_comes_otherwise_meanwhile_is_there_for_who_asks_next() -> None:
    loads = Loads()
    shared = Shared(loads.load)
    (waits,) = await asked(shared, 1)
    assert not shared.has_come
    shared.come(9)
    assert shared.has_come
    assert await shared.get() == 9
    loads.ends[0].set_result(9)
    assert await waits == 9
