"""SIGTERM under load: each part ends within ten seconds, and nothing is half done."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from contextlib import suppress

import httpx
import pytest
from aiosmtpd.smtp import SMTP, Envelope

from tests.client import GraphQLError
from tests.line import Line
from tests.operations import SIGN_IN, WATCH_VIEWER
from tests.people import PASSWORD, crowd, email
from tests.ports import own_port
from tests.waiting import soon, until

PEOPLE = 200


async def test_a_worker_gives_back_what_it_has_not_sent(line: Line) -> None:
    async def think(server: SMTP, envelope: Envelope) -> None:
        await asyncio.sleep(0.05)

    line.mailbox.reply_to_data = think
    _, worker = await line.start("relay", "worker")
    await line.happen(*await crowd(line.database, line.world.account_id, PEOPLE))
    await line.mailbox.wait_for(10)
    worker.child.send_signal(signal.SIGTERM)
    assert await worker.wait() == 0
    states = await line.states()
    assert states.get("sending", 0) == 0
    assert states["sent"] == len(line.mailbox.messages) < PEOPLE
    await line.let_time_pass()
    await line.start("worker", "beat")
    await line.until_all("sent", PEOPLE)
    assert len(line.mailbox.messages) == PEOPLE


async def test_a_worker_ends_in_time_though_the_mail_server_says_nothing(line: Line) -> None:
    asked = asyncio.Event()

    async def be_silent(server: SMTP, address: str) -> None:
        asked.set()
        await asyncio.sleep(60)

    line.mailbox.reply_to_rcpt = be_silent
    _, worker = await line.start("relay", "worker")
    await line.happen(await line.world.user_id("mia"))
    await soon(asked.wait())
    worker.child.send_signal(signal.SIGTERM)
    assert await worker.wait() == 0
    assert await line.states() == {"pending": 1}


async def test_a_relay_and_a_beat_end_while_they_work(line: Line) -> None:
    people = await crowd(line.database, line.world.account_id, PEOPLE)
    relay, beat = await line.start("relay", "beat")
    await line.happen(*people)
    for part in (relay, beat):
        part.child.send_signal(signal.SIGTERM)
    assert [await part.wait() for part in (relay, beat)] == [0, 0]
    await line.let_time_pass()
    await line.start("relay", "worker", "beat")
    await line.until_all("sent", PEOPLE)
    assert len(line.mailbox.messages) == PEOPLE


async def test_the_api_finishes_the_requests_that_it_has_begun(line: Line) -> None:
    line.settings |= {"port": own_port()}
    line.world.base_url = f"http://127.0.0.1:{line.settings['port']}"
    (api,) = await line.start("serve", word="Application startup complete")

    signed_in: Counter[str] = Counter()

    async def sign_in_until_it_ends(name: str) -> None:
        client = line.world.client()
        with suppress(httpx.TransportError, GraphQLError):
            while True:
                await client.do(SIGN_IN, email=email(name), password=PASSWORD)
                signed_in[name] += 1

    callers = [asyncio.create_task(sign_in_until_it_ends(name)) for name in ("olive", "adam", "mia", "sam")]
    await until(lambda: signed_in.total() >= len(callers), "several have signed in")
    api.child.send_signal(signal.SIGTERM)
    assert await api.wait() == 0
    await asyncio.gather(*callers)
    recorded = await line.database.fetchval("SELECT count(*) FROM events WHERE type = 'SIGN_IN_SUCCEEDED'")
    assert recorded >= signed_in.total() > 0
    assert "Traceback" not in api.output


async def test_a_request_that_the_api_cannot_wait_for_any_longer_is_told_so_as_it_ends(line: Line) -> None:
    port = own_port()
    line.settings |= {"port": port}
    (api,) = await line.start("serve", word="Application startup complete")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Expect: 100-continue\r\nContent-Length: 100\r\n\r\n"
    )
    await soon(reader.readuntil(b"100 Continue\r\n\r\n"))  # it has begun, and its body does not come
    api.child.send_signal(signal.SIGTERM)
    head = await soon(reader.readuntil(b"\r\n\r\n"))
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"SERVICE_UNAVAILABLE" in await soon(reader.read())
    writer.close()
    assert await api.wait() == 0
    assert "Traceback" not in api.output


async def test_the_api_ends_with_its_streams(line: Line) -> None:
    line.settings |= {"port": own_port()}
    line.world.base_url = f"http://127.0.0.1:{line.settings['port']}"
    (api,) = await line.start("serve", word="Application startup complete")
    mia = await line.world.sign_in("mia")
    headers = {"accept": "text/event-stream", "authorization": f"Bearer {mia.token}"}
    async with mia.http.stream("POST", "/graphql", json={"query": WATCH_VIEWER}, headers=headers) as answer:
        lines = answer.aiter_lines()
        while await soon(anext(lines)) != "event: next":
            pass
        api.child.send_signal(signal.SIGTERM)
        # Cut off, not complete: whoever watches asks again, and comes to a process that goes on.
        with pytest.raises(httpx.RemoteProtocolError):
            while await soon(anext(lines)) != "event: complete":
                pass
    assert await api.wait() == 0
    assert "Traceback" not in api.output
    assert "graceful shutdown exceeded" not in api.output
