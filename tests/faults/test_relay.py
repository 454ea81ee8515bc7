"""A relay that dies at each of its steps: another one hands over what it left, and no mail comes twice."""

from __future__ import annotations

import asyncpg

from db import outbox
from db.pool import open_database
from rules.events.staff import StaffAdded, StaffInvited
from rules.people import Role
from tests.broker import Broker
from tests.client import settings_for
from tests.line import Line
from tests.people import crowd
from workers.app import make_app, publish
from workers.dispatching import Dispatcher
from workers.relay import MOST_WAITING, relay_once

EVENTS = 20


async def test_killed_while_it_claims_it_leaves_nothing_behind(line: Line, database_url: str) -> None:
    await line.happen(*await crowd(line.database, line.world.account_id, EVENTS))
    locker = await asyncpg.connect(database_url)
    async with locker.transaction():
        await locker.execute("LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE")
        (relay,) = await line.start("relay")
        backend = await line.until_waiting_for_a_lock("gatehouse-relay")
        relay.kill()
        await line.database.execute("SELECT pg_terminate_backend($1)", backend)
    await locker.close()
    await ends_in_one_mail_each(line)


async def test_killed_before_it_handed_over_what_it_claimed_another_hands_it_over(line: Line, broker: Broker) -> None:
    await line.happen(*await crowd(line.database, line.world.account_id, EVENTS))
    broker.freeze()
    (relay,) = await line.start("relay")

    async def has_claimed() -> object:
        return await line.database.fetchval("SELECT true FROM events WHERE handed_at IS NOT NULL")

    await line.until(has_claimed, "the relay claims")
    relay.kill()
    broker.thaw()
    assert broker.waiting("security") == 0
    assert await line.database.fetchval("SELECT count(*) FROM events WHERE handed_at IS NOT NULL") == EVENTS
    await line.let_time_pass()
    await ends_in_one_mail_each(line)


async def test_killed_after_it_handed_over_the_messages_come_twice_and_the_mails_once(
    line: Line, broker: Broker
) -> None:
    await line.happen(*await crowd(line.database, line.world.account_id, EVENTS))
    (relay,) = await line.start("relay")
    await are_waiting(line, broker, EVENTS)
    relay.kill()
    await line.let_time_pass()
    await line.start("relay")
    await are_waiting(line, broker, 2 * EVENTS)
    await ends_in_one_mail_each(line)


async def test_nothing_is_handed_over_once_more_while_no_worker_comes_to_what_waits(
    line: Line, broker: Broker, database_url: str
) -> None:
    app = make_app(settings_for(database_url, broker_url=broker.url))
    database = await open_database(database_url, 2)
    await line.happen(*await crowd(line.database, line.world.account_id, EVENTS))
    await relay_once(database, app)
    assert broker.waiting("security") == EVENTS
    for _ in range(MOST_WAITING):
        publish(app, "dispatch", 0, queue="security")
    await line.let_time_pass()
    assert await relay_once(database, app) == 0
    assert broker.waiting("security") == EVENTS + MOST_WAITING
    # What nobody has handed over yet is: a message for each event at most.
    await line.happen(await line.world.user_id("mia"))
    assert await relay_once(database, app) == 1
    broker.empty()
    assert await relay_once(database, app) == EVENTS
    assert broker.waiting("security") == EVENTS
    app.close()
    await database.close()


async def test_an_imports_invitations_wait_where_nobodys_security_mail_does(
    line: Line, broker: Broker, database_url: str
) -> None:
    app = make_app(settings_for(database_url, broker_url=broker.url))
    database = await open_database(database_url, 2)
    account_id = line.world.account_id
    for who in await crowd(line.database, account_id, 3):
        await outbox.append(
            line.database, StaffInvited(account_id=account_id, subject_id=who, role=Role.MEMBER, is_imported=True)
        )
    by_hand = StaffInvited(account_id=account_id, subject_id=await line.world.user_id("sam"), role=Role.MEMBER)
    await outbox.append(line.database, by_hand)
    assert await relay_once(database, app) == 4
    assert (broker.waiting("security"), broker.waiting("work")) == (1, 3)
    steps = [await Dispatcher().dispatch(database, event["id"]) for event in await line.world.events("STAFF_INVITED")]
    assert [step.queue for step in steps] == ["bulk", "bulk", "bulk", "security"]
    rows = await line.database.fetch("SELECT queue FROM deliveries ORDER BY event_id")
    assert [row["queue"] for row in rows] == ["bulk", "bulk", "bulk", "security"]
    app.close()
    await database.close()


async def test_of_new_roles_those_of_owners_alone_wait_for_a_worker(
    line: Line, broker: Broker, database_url: str
) -> None:
    app = make_app(settings_for(database_url, broker_url=broker.url))
    database = await open_database(database_url, 2)
    account_id = line.world.account_id
    for name, role in (("mia", Role.MEMBER), ("adam", Role.ADMIN), ("sam", Role.OWNER)):
        subject_id = await line.world.user_id(name)
        await outbox.append(line.database, StaffAdded(account_id=account_id, subject_id=subject_id, role=role))
    assert await relay_once(database, app) == 3
    assert (broker.waiting("security"), broker.waiting("work")) == (1, 0)
    (waiting,) = await line.database.fetch("SELECT data FROM events WHERE dispatched_at IS NULL")
    assert waiting["data"]["role"] == "OWNER"
    app.close()
    await database.close()


async def are_waiting(line: Line, broker: Broker, count: int) -> None:
    async def are() -> bool:
        return broker.waiting("security") == count

    await line.until(are, f"{count} messages wait at the broker")


async def ends_in_one_mail_each(line: Line) -> None:
    await line.start("relay", "worker", "beat")
    await line.until_all("sent", EVENTS)
    assert len({message["to"] for message in line.mailbox.messages}) == len(line.mailbox.messages) == EVENTS
