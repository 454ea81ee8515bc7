"""What holds an email back: an earlier one to the same person, or an event about them that is not dispatched yet."""

from __future__ import annotations

from uuid import uuid4

import pytest

from db import deliveries, outbox
from db.pool import Database
from rules.clients import Client
from rules.events.signing_in import BackupCodeUsed
from tests.people import World
from tests.reminders.cast import pool
from workers.dispatching import Dispatcher

__all__ = ["pool"]


async def happen(cast: World, name: str, remaining: int) -> int:
    """Let somebody use a backup code; the event's id."""
    who = await cast.user_id(name)
    used = BackupCodeUsed(subject_id=who, actor_id=who, client=Client(None, None), remaining=remaining)
    await outbox.append_all(cast.database, [used])
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
