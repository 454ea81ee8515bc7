"""What holds an email back: an earlier one to the person's same address, or an event about them not dispatched yet."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from db import deliveries, delivery_outcomes, outbox, users
from db.pool import Database
from rules.clients import Client
from rules.events.signing_in import BackupCodeUsed
from rules.events.staff import EmailChanged
from tests.people import World, crowd, email
from tests.reminders.cast import pool
from workers.dispatching import Dispatcher

__all__ = ["pool"]


async def happen(cast: World, name: str, remaining: int) -> int:
    """Let somebody use a backup code; the event's id."""
    return await happen_to(cast, await cast.user_id(name), remaining)


async def happen_to(cast: World, who: UUID, remaining: int) -> int:
    """The same to whoever has this id, whatever their address."""
    used = BackupCodeUsed(subject_id=who, actor_id=who, client=Client(None, None), remaining=remaining)
    await outbox.append_all(cast.database, [used])
    event_id: int = await cast.database.fetchval("SELECT max(id) FROM events")
    return event_id


async def readdress(cast: World, name: str) -> int:
    """Give somebody an address elsewhere; the event's id."""
    who, new = await cast.user_id(name), f"{name}@elsewhere.example"
    await users.replace_email(cast.database, who, new, None)
    changed = EmailChanged(subject_id=who, previous_email=email(name), email=new)
    await outbox.append(cast.database, changed)
    event_id: int = await cast.database.fetchval("SELECT max(id) FROM events")
    return event_id


async def claimed(cast: World) -> list[int]:
    """The events whose emails may leave now."""
    found = await deliveries.claim(cast.database, "security", uuid4(), 100, 24)
    return sorted(each.event_id for each in found)


async def test_an_event_about_the_person_that_is_not_dispatched_yet_holds_back_what_comes_after_it(
    cast: World, pool: Database
) -> None:
    first, second = await happen(cast, "mia", 9), await happen(cast, "mia", 8)
    await Dispatcher().dispatch(pool, second)
    assert await claimed(cast) == []
    await Dispatcher().dispatch(pool, first)
    assert await claimed(cast) == [first]
    assert await claimed(cast) == []  # while it is on its way
    await cast.database.execute("UPDATE deliveries SET state = 'sent' WHERE event_id = $1", first)
    assert await claimed(cast) == [second]


@pytest.mark.parametrize("whose", ["somebody else's", "set aside", "later"])
async def test_no_other_event_holds_anything_back(cast: World, pool: Database, whose: str) -> None:
    other = await happen(cast, "adam" if whose == "somebody else's" else "mia", 9)
    hers = await happen(cast, "mia", 8)
    if whose == "set aside":
        await cast.database.execute("UPDATE events SET failure = 'broken' WHERE id = $1", other)
    if whose == "later":
        other, hers = hers, other
    await Dispatcher().dispatch(pool, hers)
    assert await claimed(cast) == [hers]


async def test_what_waits_for_its_time_holds_back_what_comes_after_it_and_nobody_elses(
    cast: World, pool: Database
) -> None:
    ids = [await happen(cast, name, 9) for name in ("mia", "mia", "adam")]
    for event_id in ids:
        await Dispatcher().dispatch(pool, event_id)
    later = "UPDATE deliveries SET next_attempt_at = now() + interval '1 hour' WHERE event_id = $1"
    await cast.database.execute(later, ids[1])
    await cast.database.execute(later, ids[2])
    assert await claimed(cast) == [ids[0]]
    await cast.database.execute("UPDATE deliveries SET state = 'failed' WHERE event_id = $1", ids[0])
    assert await claimed(cast) == []


async def test_what_a_former_address_is_told_holds_back_nothing_to_the_one_of_now(cast: World, pool: Database) -> None:
    who = await cast.user_id("mia")
    for event_id in (await readdress(cast, "mia"), await happen_to(cast, who, 9)):
        await Dispatcher().dispatch(pool, event_id)
    claim_id = uuid4()
    found = await deliveries.claim(cast.database, "security", claim_id, 100, 24)
    assert [each.message for each in found] == ["email_changed_from", "email_changed"]
    await delivery_outcomes.try_later(cast.database, claim_id, [found[0].id], "450 4.1.2 Domain not found", [3600])
    await cast.database.execute("UPDATE deliveries SET state = 'sent' WHERE id = $1", found[1].id)
    found = await deliveries.claim(cast.database, "security", claim_id, 100, 24)
    assert [(each.message, each.email) for each in found] == [("backup_code_used", "mia@elsewhere.example")]


async def test_what_a_former_address_is_told_stays_its_own_when_it_is_theirs_again_for_a_while(
    cast: World, pool: Database
) -> None:
    who = await cast.user_id("mia")
    await Dispatcher().dispatch(pool, await readdress(cast, "mia"))
    for address in (email("mia"), "mia@third.example"):
        await users.replace_email(cast.database, who, address, None)
    waiting = await cast.database.fetch("SELECT message, email FROM deliveries ORDER BY id")
    assert [tuple(row) for row in waiting] == [
        ("email_changed_from", email("mia")),
        ("email_changed", "mia@third.example"),
    ]


async def test_what_waits_to_leave_for_an_address_leaves_for_the_next_one_in_the_same_order(
    cast: World, pool: Database
) -> None:
    ids = [await happen(cast, "mia", remaining) for remaining in (9, 8)]
    for event_id in ids:
        await Dispatcher().dispatch(pool, event_id)
    await cast.database.execute("UPDATE deliveries SET next_attempt_at = now() + interval '1 hour'")
    ids.append(await readdress(cast, "mia"))
    await Dispatcher().dispatch(pool, ids[-1])
    left = []
    for _ in range(4):
        found = await deliveries.claim(cast.database, "security", uuid4(), 100, 24)
        left += [each.message for each in found if each.email == "mia@elsewhere.example"]
        await cast.database.execute("UPDATE deliveries SET state = 'sent' WHERE state = 'sending'")
    assert left == ["backup_code_used", "backup_code_used", "email_changed"]


async def test_one_persons_many_emails_hold_up_nobody_elses(cast: World, pool: Database) -> None:
    ids = [await happen(cast, "mia", remaining) for remaining in range(9, 0, -1)]
    ids += [await happen(cast, name, 9) for name in ("adam", "olive")]
    for event_id in ids:
        await Dispatcher().dispatch(pool, event_id)
    at_once = 2
    found = await deliveries.claim(cast.database, "security", uuid4(), at_once, 24)
    assert [each.event_id for each in found] == [ids[0], ids[-2]]
    found = await deliveries.claim(cast.database, "security", uuid4(), at_once, 24)
    assert [each.event_id for each in found] == [ids[-1]]


async def test_however_many_wait_for_an_event_nobody_elses_email_does(cast: World, pool: Database) -> None:
    at_once = 2
    for who in await crowd(cast.database, cast.account_id, 3 * at_once):
        await happen_to(cast, who, 9)
        await Dispatcher().dispatch(pool, await happen_to(cast, who, 8))
    behind_them = await happen(cast, "mia", 9)
    await Dispatcher().dispatch(pool, behind_them)
    found = await deliveries.claim(cast.database, "security", uuid4(), at_once, 24)
    assert [each.event_id for each in found] == [behind_them]


async def test_the_first_of_many_leaves_whatever_queue_it_waits_in(cast: World, pool: Database) -> None:
    ids = [await happen(cast, "mia", remaining) for remaining in range(9, 0, -1)]
    for event_id in ids:
        await Dispatcher().dispatch(pool, event_id)
    await cast.database.execute("UPDATE deliveries SET queue = 'bulk' WHERE event_id = $1", ids[0])
    assert await claimed(cast) == [ids[0]]
