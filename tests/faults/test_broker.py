"""A broker that stops, freezes or forgets: mutations do not notice, and every event still ends in its email."""

from __future__ import annotations

import asyncio

import redis
from aiosmtpd.smtp import SMTP, Envelope

from tests.broker import Broker
from tests.line import Line
from tests.parts import Process
from tests.people import World, crowd, email
from tests.ports import own_port

COUNT = 60


async def test_stopped_during_mutations_it_delays_only_the_emails(line: Line, broker: Broker) -> None:
    world, parts = await with_an_api(line)
    broker.stop()
    mia = await world.sign_in("mia")
    await world.enroll(mia)
    assert line.mailbox.messages == []
    broker.start_empty()
    await line.let_time_pass()
    await line.until_all("sent", 1)
    assert line.mailbox.subjects(email("mia")) == ["MFA is on for your sign-in"]
    assert all(part.child.poll() is None for part in parts)


async def test_frozen_during_mutations_it_delays_only_the_emails(line: Line, broker: Broker) -> None:
    world, parts = await with_an_api(line)
    broker.freeze()
    mia = await world.sign_in("mia")
    await world.enroll(mia)
    await asyncio.sleep(3)  # longer than any of the parts waits for it
    assert line.mailbox.messages == []
    broker.thaw()
    await line.let_time_pass()
    await line.until_all("sent", 1)
    assert all(part.child.poll() is None for part in parts)


async def test_stopped_and_emptied_during_sends_it_costs_no_mail_and_doubles_none(line: Line, broker: Broker) -> None:
    line.mailbox.reply_to_data = slowly
    parts = await line.start("relay", "worker", "beat")
    people = await crowd(line.database, line.world.account_id, COUNT)
    await line.happen(*people[: COUNT // 2])
    await line.mailbox.wait_for(3)
    broker.stop()
    await line.happen(*people[COUNT // 2 :])
    await asyncio.sleep(2)
    broker.start_empty()
    await line.let_time_pass()
    await line.until_all("sent", COUNT)
    assert len(line.mailbox.messages) == COUNT
    assert all(part.child.poll() is None for part in parts)


async def test_frozen_during_sends_it_costs_no_mail_and_doubles_none(line: Line, broker: Broker) -> None:
    line.mailbox.reply_to_data = slowly
    parts = await line.start("relay", "worker", "beat")
    await line.happen(*await crowd(line.database, line.world.account_id, COUNT))
    await line.mailbox.wait_for(3)
    broker.freeze()
    await asyncio.sleep(3)
    broker.thaw()
    await line.let_time_pass()
    await line.until_all("sent", COUNT)
    assert len(line.mailbox.messages) == COUNT
    assert all(part.child.poll() is None for part in parts)


async def test_what_it_forgets_is_handed_over_again(line: Line, broker: Broker) -> None:
    await line.happen(*await crowd(line.database, line.world.account_id, COUNT))
    await line.start("relay")

    async def are_waiting() -> bool:
        return broker.waiting("security") == COUNT

    await line.until(are_waiting, "the messages wait at the broker")
    broker.empty()
    await line.let_time_pass()
    await line.start("worker", "beat")
    await line.until_all("sent", COUNT)
    assert len(line.mailbox.messages) == COUNT


async def slowly(server: SMTP, envelope: Envelope) -> None:
    """Take a moment over every message."""
    await asyncio.sleep(0.02)


async def with_an_api(line: Line) -> tuple[World, list[Process]]:
    """All parts, running, and the cast as it calls the API."""
    port = own_port()
    line.settings |= {"port": port}
    (api,) = await line.start("serve", word="Application startup complete")
    others = await line.start("relay", "worker", "beat")
    line.world.base_url = f"http://127.0.0.1:{port}"
    return line.world, [api, *others]


async def test_a_replica_for_a_while_it_delays_only_the_emails(line: Line, broker: Broker) -> None:
    parts = await line.start("relay", "worker", "beat")
    people = await crowd(line.database, line.world.account_id, 2)
    await line.happen(people[0])
    await line.mailbox.wait_for(1)
    with redis.Redis.from_url(broker.url) as client:
        client.replicaof("127.0.0.1", str(own_port()))
        await line.happen(people[1])
        await parts[1].wait_for_output("Connection to broker lost")
        await parts[0].wait_for_output("The broker does not answer")
        await asyncio.sleep(2)  # some more refusals
        client.replicaof("NO", "ONE")
    await line.let_time_pass()
    await line.until_all("sent", 2)
    assert all(part.child.poll() is None for part in parts)
