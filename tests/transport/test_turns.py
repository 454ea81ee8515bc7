"""The event loop's time is taken in turns: by persons, by strangers together, and among these by address."""

from __future__ import annotations

import asyncio
from contextvars import Context
from dataclasses import dataclass
from typing import Any, cast

import pytest
from starlette.requests import ClientDisconnect

from rules.failures import RateLimited
from server.transport import charging
from server.transport.charging import Turn, charge_tasks
from server.transport.flows import PERSON, PROBES
from server.transport.passes import MOST_OF_A_PASS_S
from server.transport.turns import Turns
from tests.transport.owing import FOR_LONG_S, owing, some_passes, stranger, strangers_owe
from tests.waiting import soon, stand_still, until


async def test_where_nobody_waits_and_nothing_is_owed_a_turn_comes_at_once() -> None:
    turns = Turns()
    for turn in (stranger(turns), turns.turn("person:1", "person:1", PERSON), turns.turn("probes", "x", PROBES)):
        with pytest.raises(StopIteration):
            turn.begin().send(None)


async def test_a_strangers_queued_work_is_passed_by_a_persons_and_by_a_probes() -> None:
    turns = owing()
    with strangers_owe(turns):
        queued = asyncio.create_task(stranger(turns).begin())
        await some_passes()
        await turns.turn("person:1", "person:1", PERSON).begin()
        await turns.turn("probes", "address:probe", PROBES).begin()
        assert not queued.done()
    await soon(queued)


async def test_of_long_parts_that_come_at_once_each_begins_when_the_one_before_has_paid() -> None:
    turns, go_on = owing(), asyncio.Event()
    begun: list[int] = []

    async def ask(number: int) -> None:
        async def work() -> None:
            async with charging.part(FOR_LONG_S):
                begun.append(number)
                await go_on.wait()

        await stranger(turns, f"address:{number}").take(work)

    asking = [asyncio.create_task(ask(number)) for number in range(3)]
    await some_passes()
    assert begun == [0]
    go_on.set()
    await soon(asyncio.gather(*asking))
    assert begun == [0, 1, 2]


async def test_a_persons_request_with_a_long_part_gives_way_from_then_on() -> None:
    turn = Turns().turn("person:1", "person:1", PERSON)

    async def work() -> bool:
        async with charging.part(0.0) as pay:
            pay(FOR_LONG_S)
        return turn.gives_way

    assert await turn.take(work)


async def test_a_process_that_stood_still_for_longer_than_anybody_waits_refuses_nobody_for_it() -> None:
    turns = Turns(2.0)
    stranger(turns).charge(FOR_LONG_S)
    waiting = [asyncio.create_task(stranger(turns, f"address:{n}").begin()) for n in range(20)]
    await some_passes()
    stand_still(2.5)
    await soon(asyncio.gather(*waiting))


async def test_an_address_that_asks_once_comes_before_what_another_has_queued_already() -> None:
    turns = owing()
    begun: list[str] = []

    async def ask(address: str) -> None:
        turn = stranger(turns, address)
        await turn.begin()
        begun.append(address)

    with strangers_owe(turns):
        asking = [asyncio.create_task(ask("address:many")) for _ in range(50)]
        await some_passes()
        asking.append(asyncio.create_task(ask("address:once")))
        await some_passes()
        assert begun == []
    await until(lambda: "address:once" in begun, "its turn")
    assert begun.index("address:once") <= 1
    await soon(asyncio.gather(*asking))


async def test_of_two_addresses_the_one_that_takes_more_each_time_begins_less_often() -> None:
    turns = Turns()
    begun = {"address:small": 0, "address:large": 0}

    async def ask(address: str, taken_s: float) -> None:
        turn = stranger(turns, address)
        while True:
            await turn.begin()
            begun[address] += 1
            turn.charge(taken_s)

    asking = [asyncio.create_task(ask("address:small", 0.001)) for _ in range(2)]
    asking += [asyncio.create_task(ask("address:large", 0.010)) for _ in range(20)]
    await until(lambda: begun["address:large"] >= 25, "it is known what they take")
    before = dict(begun)
    await until(lambda: begun["address:large"] >= before["address:large"] + 10, "both their turns")
    for each in asking:
        each.cancel()
    more = {address: begun[address] - before[address] for address in begun}
    assert more["address:small"] > 3 * more["address:large"]


async def test_a_person_who_takes_much_waits_only_while_another_person_asks() -> None:
    turns = owing()
    busy, other = (turns.turn(name, name, PERSON) for name in ("person:busy", "person:other"))
    for _ in range(3):
        await busy.begin()
        busy.charge(FOR_LONG_S)
    await other.begin()
    waits = asyncio.create_task(busy.begin())
    await some_passes()
    assert not waits.done()
    busy.flow.credit_s = 0.0
    await soon(waits)


async def test_a_person_who_has_taken_less_than_the_other_goes_first_though_both_owe() -> None:
    turns = owing()
    busy, other = (turns.turn(name, name, PERSON) for name in ("person:busy", "person:other"))
    for turn, taken_s in ((other, 10.0), (busy, FOR_LONG_S)):
        await turn.begin()
        turn.charge(taken_s)
    await other.begin()
    waits = asyncio.create_task(busy.begin())
    await some_passes()
    assert not waits.done()
    busy.flow.credit_s = 0.0
    await soon(waits)


@pytest.mark.parametrize("who", ["stranger", "person with a large request"])
async def test_what_has_begun_gives_way_to_a_persons_small_request_and_goes_on_after_it(who: str) -> None:
    turns = Turns()
    done: list[str] = []
    is_asked, goes_on = asyncio.Event(), asyncio.Event()
    giving_way = stranger(turns) if who == "stranger" else turns.turn("person:1", "person:1", PERSON)
    asking = turns.turn("person:2", "person:2", PERSON)
    # However long the machine stops amid a step, the one gives way for longer, and the other stays small.
    giving_way.gave_way_s = asking.spent_s = -FOR_LONG_S

    async def several_steps() -> None:
        giving_way.grow()
        await is_asked.wait()
        done.append(who)

    async def small() -> None:
        is_asked.set()
        await some_passes()
        done.append("small")
        await goes_on.wait()

    first = asyncio.create_task(giving_way.take(several_steps))
    await some_passes()
    second = asyncio.create_task(asking.take(small))
    await until(lambda: "small" in done, "the small one")
    assert done == ["small"]
    goes_on.set()
    await soon(asyncio.gather(first, second))
    assert done == ["small", who]


async def test_who_gave_way_is_not_remembered_however_long_small_requests_are_under_way() -> None:
    turns = Turns()
    never = asyncio.Event()
    small = asyncio.create_task(turns.turn("person:2", "person:2", PERSON).take(never.wait))
    await some_passes()
    for _ in range(5):
        await soon(stranger(turns).take(lambda: asyncio.sleep(0)))
    assert len(turns._giving_way) <= 2
    small.cancel()


async def test_of_steps_that_give_way_one_is_done_in_each_pass_of_the_loop_once_they_have_taken_enough() -> None:
    charge_tasks(asyncio.get_running_loop())
    turns, passes = Turns(), 0
    seen: list[int] = []

    def count_passes() -> None:
        nonlocal passes
        passes += 1
        if len(seen) < 30:
            asyncio.get_running_loop().call_soon(count_passes)

    async def steps() -> None:
        for _ in range(10):
            await asyncio.sleep(0)
            seen.append(passes)
            stand_still(2 * MOST_OF_A_PASS_S)

    count_passes()
    begun = [stranger(turns, f"address:{n}") for n in range(3)]
    for turn in begun:
        turn.flow.credit_s, turn.gave_way_s = FOR_LONG_S, -FOR_LONG_S
    await soon(asyncio.gather(*(turn.take(steps) for turn in begun)))
    assert len(set(seen)) == 30


async def test_a_persons_small_request_waits_for_no_other_pass() -> None:
    turns = Turns()
    turns.passes.take(2 * MOST_OF_A_PASS_S)
    assert turns.passes.is_full
    assert turns.turn("person:1", "person:1", PERSON).way() is None
    waiting = stranger(turns).way()
    assert waiting is not None
    await soon(waiting)
    assert not turns.passes.is_full


async def test_what_gives_way_does_so_for_a_moment_only() -> None:
    turns = Turns()
    never = asyncio.Event()
    small = asyncio.create_task(turns.turn("person:2", "person:2", PERSON).take(never.wait))
    await some_passes()
    await soon(stranger(turns).take(lambda: asyncio.sleep(0)))
    small.cancel()


async def test_who_has_waited_too_long_is_refused_and_takes_no_place() -> None:
    turns = owing(longest_wait_s=0.05)
    with strangers_owe(turns):
        turn = stranger(turns)
        with pytest.raises(RateLimited):
            await turn.begin()
    assert turn.participant.next_at == 0


@dataclass
class Connection:
    waiting: asyncio.Future[None] | None = None


async def test_who_leaves_takes_no_place() -> None:
    turns, connection = owing(), Connection()
    turn = stranger(turns)
    with strangers_owe(turns):
        leaving = asyncio.create_task(turn.begin(connection))
        await until(lambda: connection.waiting is not None, "it waits")
        waiting = cast("asyncio.Future[None]", connection.waiting)
        waiting.set_exception(ClientDisconnect())
        with pytest.raises(ClientDisconnect):
            await leaving
    assert turn.participant.next_at == 0
    await soon(stranger(turns).begin())
    await until(lambda: not turn.flow.waiting, "nobody waits")


async def test_what_the_tasks_of_a_request_take_is_charged_until_it_is_over() -> None:
    charged: list[asyncio.Task[Any] | None] = []

    class Noted(Turn):
        def charge(self, seconds: float) -> None:
            assert seconds >= 0
            if not self.is_over:
                charged.append(asyncio.current_task())

    loop = asyncio.get_running_loop()
    turns = Turns()
    turn = Noted(turns, stranger(turns).flow, stranger(turns).participant)
    go_on = asyncio.Event()

    async def work() -> list[asyncio.Task[Any]]:
        lasting = asyncio.create_task(go_on.wait())
        ended = asyncio.create_task(asyncio.sleep(0))
        everybodys = asyncio.create_task(asyncio.sleep(0), context=Context())
        await asyncio.gather(ended, everybodys)
        return [lasting, ended]

    charge_tasks(loop)
    try:
        tasks = await turn.take(work, None)
    finally:
        loop.set_task_factory(None)
    assert {*tasks, asyncio.current_task()} == set(charged)
    before = len(charged)
    go_on.set()
    await tasks[0]
    assert len(charged) == before
