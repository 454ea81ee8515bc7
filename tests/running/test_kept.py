"""What is shown of what takes long to find: what was found before, and never for longer than it takes to find anew."""

from __future__ import annotations

import asyncio

from server.status.kept import Kept, SoFar

KEPT_S = 0.0
MOMENT_S = 0.01


class Finding:
    """Finds 1, 2 and so on, each once it may."""

    def __init__(self) -> None:
        self.found = 0
        self.may = asyncio.Event()
        self.so_far = SoFar(Kept(self, KEPT_S, share=0), MOMENT_S, 0)

    async def __call__(self) -> int:
        await self.may.wait()
        self.found += 1
        return self.found


async def test_what_takes_long_is_shown_once_it_is_found_and_until_then_what_was_found_before() -> None:
    finding = Finding()
    assert await finding.so_far.get() == 0
    finding.may.set()
    assert await finding.so_far.get() == 1
    finding.may.clear()
    assert await finding.so_far.get() == 1


async def test_all_who_ask_at_the_same_time_get_the_same() -> None:
    finding = Finding()
    asking = [asyncio.create_task(finding.so_far.get()) for _ in range(3)]
    await asyncio.sleep(0)
    finding.may.set()
    assert await asyncio.gather(*asking) == [1, 1, 1]


async def test_what_was_found_while_nobody_asked_is_found_anew_once_its_time_is_over() -> None:
    finding = Finding()
    assert await finding.so_far.get() == 0
    finding.may.set()
    while not finding.found:
        await asyncio.sleep(0)
    assert await finding.so_far.get() == 2
