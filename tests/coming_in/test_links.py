"""Links as the worker makes them: one for each email, of no use once overtaken, and used up by any copy."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

from db import invitations, links, outbox
from rules import links as kinds
from rules.clients import Client
from rules.events.base import Event
from rules.events.passwords import PasswordResetRequested
from rules.events.staff import StaffInvited
from rules.people import Role
from rules.service_keys import Right
from tests.client import Client as Asking
from tests.databases import Connection, until_waiting
from tests.line import Line
from tests.people import World, email, move_events
from tests.service.operations import CHANGE_EMAIL, PROVISION, backend

NOWHERE = Client(None, None)


async def delivery_of(world: World, event: Event) -> int:
    """A delivery of the event, as planned."""

    await outbox.append(world.database, event)
    delivery: int = await world.database.fetchval(
        """
        INSERT INTO deliveries (event_id, user_id, message, email, queue)
        SELECT events.id, users.id, 'any', users.email, 'security'
        FROM events JOIN users ON users.id = subject_id ORDER BY events.id DESC LIMIT 1
        RETURNING id
        """
    )
    return delivery


async def mint(world: World, delivery: int, kind: kinds.Link, over: Connection | None = None) -> bytes | None:
    """The hash of a fresh token of this delivery; None when there is to be none."""
    token_hash = secrets.token_bytes(32)
    holds = await links.mint(over or world.database, delivery, kind.purpose, token_hash, kind.lifetime)
    return token_hash if holds else None


async def moving(world: World) -> tuple[int, Asking]:
    """A delivery on its way to Mia's address, and who is about to give her another one."""
    web = await backend(world, Right.PROVISION, account_id=world.account_id)
    known = await web.do(PROVISION, input={"externalId": "1", "email": email("mia"), "role": "MEMBER"})
    assert known["__typename"] == "StaffProvisioned"
    delivery = await delivery_of(world, PasswordResetRequested(subject_id=await world.user_id("mia"), client=NOWHERE))
    await world.database.execute("UPDATE deliveries SET state = 'sending', claim_id = gen_random_uuid()")
    return delivery, web


async def move(web: Asking) -> None:
    """Give Mia another address."""
    changed = await web.do(CHANGE_EMAIL, input={"externalId": "1", "email": "mia@new.example"})
    assert changed["__typename"] == "EmailChanged"


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """Another connection to the database."""
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def holding(world: World) -> int:
    """How many links hold."""
    count: int = await world.database.fetchval("SELECT count(*) FROM links WHERE used_at IS NULL")
    return count


async def test_using_one_copy_of_a_mail_that_went_out_twice_uses_both(world: World) -> None:
    delivery = await delivery_of(world, PasswordResetRequested(subject_id=await world.user_id("mia"), client=NOWHERE))
    one, other = await mint(world, delivery, kinds.PASSWORD_RESET), await mint(world, delivery, kinds.PASSWORD_RESET)
    assert one and other and one != other
    found = await links.find(world.database, other, kinds.SETS_PASSWORD)
    assert found is not None
    assert await links.use(world.database, found)
    assert not await links.use(world.database, found)
    assert await links.find(world.database, one, kinds.SETS_PASSWORD) is None
    assert await mint(world, delivery, kinds.PASSWORD_RESET) is None


async def test_a_mail_that_a_new_password_has_overtaken_gets_no_link(world: World) -> None:
    delivery = await delivery_of(world, PasswordResetRequested(subject_id=await world.user_id("mia"), client=NOWHERE))
    await world.database.execute("UPDATE users SET password_set_at = now() WHERE email = $1", email("mia"))
    assert await mint(world, delivery, kinds.PASSWORD_RESET) is None


async def test_a_mail_on_its_way_to_an_address_that_is_theirs_no_more_gets_no_link(world: World) -> None:
    delivery, web = await moving(world)
    await move(web)
    assert await mint(world, delivery, kinds.PASSWORD_RESET) is None
    assert await holding(world) == 0


async def test_a_link_waits_for_an_address_that_is_being_changed_and_is_not_made_then(
    world: World, database_url: str
) -> None:
    delivery, web = await moving(world)
    assert await mint(world, delivery, kinds.PASSWORD_RESET)
    async with connected(database_url) as blocker, connected(database_url) as worker:
        async with blocker.transaction():
            await blocker.execute("SELECT FROM links FOR UPDATE")  # for which the change waits at its end
            change = asyncio.create_task(move(web))
            await until_waiting(world.database, "UPDATE links")
            making = asyncio.create_task(mint(world, delivery, kinds.PASSWORD_RESET, worker))
            await until_waiting(world.database, "INSERT INTO links")
        await change
        assert await making is None
    assert await holding(world) == 0


async def test_a_change_of_address_waits_for_a_link_that_is_being_made_and_lets_it_hold_no_more(
    world: World, database_url: str
) -> None:
    delivery, web = await moving(world)
    async with connected(database_url) as worker:
        async with worker.transaction():
            assert await mint(world, delivery, kinds.PASSWORD_RESET, worker)
            change = asyncio.create_task(move(web))
            await until_waiting(world.database, "FROM users")
        await change
    assert await holding(world) == 0


async def test_a_mail_that_is_late_gets_no_link_and_one_in_time_no_longer_one(world: World) -> None:
    delivery = await delivery_of(world, PasswordResetRequested(subject_id=await world.user_id("mia"), client=NOWHERE))
    await move_events(world.database, "29 minutes")
    assert await mint(world, delivery, kinds.PASSWORD_RESET)
    left = await world.database.fetchval("SELECT expires_at - now() FROM links")
    assert left <= kinds.PASSWORD_RESET.lifetime / 30
    await move_events(world.database, "30 minutes")
    assert await mint(world, delivery, kinds.PASSWORD_RESET) is None


async def test_of_two_invitations_that_wait_for_the_mail_server_the_later_one_leaves(line: Line) -> None:
    user_id: UUID = await line.database.fetchval("INSERT INTO users (email) VALUES ('new@agency.example') RETURNING id")
    for number in range(2):
        await invite(line.database, line.world.account_id, user_id, number)
    await line.start("relay", "worker")
    await line.until(lambda: done(line), "both deliveries have ended")
    assert dict(await line.states()) == {"sent": 1, "dropped": 1}
    assert line.mailbox.subjects("new@agency.example") == ['Join the agency "Agency"']
    assert await line.database.fetchval("SELECT event_id = (SELECT max(id) FROM events) FROM links")


async def invite(database: asyncpg.Connection[asyncpg.Record], account_id: UUID, user_id: UUID, number: int) -> None:

    async with database.transaction():
        assert await invitations.open_invitation(database, account_id, user_id, Role.MEMBER)
        await outbox.append(database, StaffInvited(account_id=account_id, subject_id=user_id, role=Role.MEMBER))


async def done(line: Line) -> bool:
    states = await line.states()
    return sum(states.values()) == 2 and not states.keys() - {"sent", "dropped", "failed"}
