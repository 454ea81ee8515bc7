"""A large page is made a few entries at a time, so that everybody else has a turn between."""

from __future__ import annotations

import asyncio

from schema.common import MADE_AT_ONCE, made_in_turns


async def test_a_page_is_made_in_its_order_and_others_come_between_its_parts() -> None:
    others = 0

    async def another() -> None:
        nonlocal others
        while True:
            others += 1
            await asyncio.sleep(0)

    seen: list[int] = []

    def make(number: int) -> str:
        seen.append(others)
        return str(number)

    beside = asyncio.create_task(another())
    await asyncio.sleep(0)
    entries = range(3 * MADE_AT_ONCE + 1)
    assert await made_in_turns(make, entries) == [str(number) for number in entries]
    beside.cancel()
    assert [seen.count(when) for when in sorted(set(seen))] == [MADE_AT_ONCE] * 3 + [1]


async def test_a_small_page_waits_for_nobody() -> None:
    assert await made_in_turns(str, []) == []
    made = made_in_turns(str, range(MADE_AT_ONCE))
    try:
        made.send(None)
    except StopIteration as done:
        assert len(done.value) == MADE_AT_ONCE
    else:
        raise AssertionError("it gave its turn away")
