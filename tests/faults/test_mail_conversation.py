"""A mail server in trouble at each word of the conversation: the worker ends in time, and other work goes on."""

from __future__ import annotations

import signal

import pytest

from tests.line import Line
from tests.people import crowd
from tests.stubborn import COMMANDS, Stubborn, stubborn

CONCURRENCY = 2


@pytest.mark.parametrize("manner", ["hang", "drip"])
@pytest.mark.parametrize("word", COMMANDS)
async def test_a_worker_ends_in_time_at_every_word(line: Line, word: str, manner: str) -> None:
    async with stubborn(word, manner) as server:
        _, worker = await line.start("relay", "worker", smtp_url=server.url)
        await line.happen(await line.world.user_id("mia"))
        await until_reached(line, server, 1)
        worker.child.send_signal(signal.SIGTERM)
        assert await worker.wait() == 0
    assert await line.states() == {"pending": 1}
    assert server.taken == []
    assert "Traceback" not in worker.output


@pytest.mark.parametrize("word", COMMANDS)
async def test_a_connection_dropped_at_any_word_costs_a_try(line: Line, word: str) -> None:
    async with stubborn(word, "drop") as server:
        await line.start("relay", "worker", "beat", smtp_url=server.url)
        await line.happen(await line.world.user_id("mia"))

        async def is_put_off() -> object:
            return await line.database.fetchval("SELECT state = 'pending' AND last_error <> '' FROM deliveries")

        await line.until(is_put_off, "the mail waits")
        assert server.reached >= 1
        if word not in {"STARTTLS", "handshake"}:  # which this server cannot do to the end
            server.manner = None
            await line.let_time_pass()
            await line.until_all("sent", 1)
            assert len(server.taken) == 1


@pytest.mark.parametrize(("word", "manner"), [("banner", "drip"), ("AUTH", "drip"), ("RCPT", "hang")])
@pytest.mark.long
async def test_a_server_that_keeps_everybody_waiting_keeps_nobody_from_planning(
    line: Line, word: str, manner: str
) -> None:
    people = await crowd(line.database, line.world.account_id, 100)
    async with stubborn(word, manner) as server:
        await line.start("relay", "worker", "beat", smtp_url=server.url, worker_concurrency=CONCURRENCY)
        await line.happen(*people[:60])
        await until_reached(line, server, CONCURRENCY)
        await line.happen(*people[60:])

        async def are_planned() -> object:
            return await line.database.fetchval("SELECT count(*) = 100 FROM deliveries")

        await line.until(are_planned, "all are planned")
        assert not any(await line.database.fetch("SELECT FROM deliveries WHERE state = 'sent'"))
        server.manner = None
        await line.let_time_pass(of_claims=True)
        await line.until(lambda: all_taken(line, server), "all are sent")


@pytest.mark.long
async def test_a_banner_without_end_is_left_after_its_time(line: Line) -> None:
    async with stubborn("banner", "drip") as server:
        await line.start("relay", "worker", smtp_url=server.url)
        await line.happen(await line.world.user_id("mia"))

        async def is_put_off() -> object:
            return await line.database.fetchval("SELECT last_error = 'It took too long.' FROM deliveries")

        await line.until(is_put_off, "the mail waits")
    assert await line.states() == {"pending": 1}


async def until_reached(line: Line, server: Stubborn, times: int) -> None:
    """Return once that many connections have come to the word."""

    async def has_come() -> bool:
        return server.reached >= times

    await line.until(has_come, f"the server is asked {server.word} by {times}")


async def all_taken(line: Line, server: Stubborn) -> bool:
    """Whether everybody's mail has been taken; what was put off meanwhile is due at once."""
    await line.let_time_pass(of_claims=True)
    return len(set(server.recipients)) == 100 and await line.states() == {"sent": 100}
