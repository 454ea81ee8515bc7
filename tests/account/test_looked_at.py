"""However many events there are, what is looked for among them is found without looking at each."""

from __future__ import annotations

from typing import Any

import pytest_asyncio

import db.audit
import db.invitations
import db.resets
import db.webhook_deliveries
from rules.events.catalogue import BY_TYPE
from tests.explained import Explained
from tests.people import World, email

MANY = 5_000
FEW = 60
TYPES = list(BY_TYPE)


@pytest_asyncio.fixture
async def crowded(cast: World) -> World:
    """An agency where much has happened, of which Mia did and suffered little."""
    olive, mia = await cast.user_id("olive"), await cast.user_id("mia")
    await happened(cast, "SIGN_IN_SUCCEEDED", mia, mia, 3)
    await happened(cast, "STAFF_INVITED", olive, mia, 3)
    await happened(cast, "SIGN_IN_SUCCEEDED", olive, olive, 100)
    await happened(cast, "SIGN_IN_SUCCEEDED", None, None, MANY)
    await cast.database.execute("ANALYZE events, account_events")
    return cast


async def happened(world: World, of: str, subject: object, actor: object, count: int) -> None:
    """Let it have happened that often, to somebody else each time where nobody is named."""
    await world.database.execute(
        "WITH appended AS (INSERT INTO events (type, subject_id, actor_id) "
        "SELECT $2, coalesce($3, other), coalesce($4, other) "
        "FROM (SELECT gen_random_uuid() AS other FROM generate_series(1, $5)) AS others RETURNING id) "
        "INSERT INTO account_events (account_id, event_id) SELECT $1, id FROM appended",
        world.account_id,
        of,
        subject,
        actor,
        count,
    )


async def looked_at(world: World, function: Any, *given: Any, unplanned: bool = True) -> float:
    """How many rows the statement of this function looks at at most, planned for whatever it may be given."""
    explained = Explained(world.database, unplanned=unplanned)
    await function(explained, *given)
    assert explained.rows
    return max(explained.rows)


async def test_the_log_of_somebody_who_did_little(crowded: World) -> None:
    people = await db.audit.people(crowded.database, crowded.account_id, email("mia"))
    assert people == [await crowded.user_id("mia")]
    found = await db.audit.page_of(crowded.database, crowded.account_id, people, TYPES, None, 51)
    assert [entry.stored.type for entry in found] == ["STAFF_INVITED"] * 3 + ["SIGN_IN_SUCCEEDED"] * 3
    given = (crowded.account_id, people, TYPES, None, 51)
    assert await looked_at(crowded, db.audit.page_of, *given) <= FEW
    assert await looked_at(crowded, db.audit.page_of, *given, unplanned=False) <= FEW


async def test_a_late_page_of_the_log(crowded: World) -> None:
    assert await looked_at(crowded, db.audit.page, crowded.account_id, TYPES, 20, 51) <= FEW


async def test_whom_somebody_has_invited_since(crowded: World) -> None:
    assert await looked_at(crowded, db.invitations.revoke_since, [await crowded.user_id("mia")], 0) <= FEW


async def test_whom_somebody_has_invited_where_they_are_staff_no_more(crowded: World) -> None:
    sam, petra = await crowded.user_id("sam"), await crowded.user_id("petra")
    await crowded.database.execute(
        "WITH invited AS (INSERT INTO events (type, account_id, actor_id, subject_id) "
        "VALUES ('STAFF_INVITED', $1, $2, $3) RETURNING *) "
        "INSERT INTO staff (account_id, user_id, email, role, invited_at) "
        "SELECT account_id, subject_id, $4, 'ADMIN', occurred_at FROM invited",
        crowded.account_id,
        sam,
        petra,
        email("petra"),
    )
    assert await db.invitations.revoke_since(crowded.database, [sam], 0) == [(crowded.account_id, petra)]


async def test_whether_a_reset_that_waits_was_told_of(crowded: World) -> None:
    olive, mia = await crowded.user_id("olive"), await crowded.user_id("mia")
    request_id = await db.resets.ask(crowded.database, crowded.account_id, olive, mia, None)
    assert request_id is not None
    event_id = await crowded.database.fetchval(
        "INSERT INTO events (type, account_id, subject_id, occurred_at, dispatched_at) "
        "SELECT 'MFA_RESET_REQUESTED', account_id, user_id, requested_at, now() FROM reset_requests RETURNING id"
    )
    await crowded.database.execute(
        "INSERT INTO deliveries (event_id, user_id, message, email, queue, state) "
        "SELECT id, $2, CASE WHEN id = $1 THEN 'mfa_reset_requested' ELSE '' END, '', 'security', 'sent' FROM events",
        event_id,
        olive,
    )
    await crowded.database.execute("ANALYZE events, deliveries, reset_requests")
    assert await db.resets.is_told(crowded.database, request_id)
    assert await looked_at(crowded, db.resets.is_told, request_id) <= FEW


async def test_which_sessions_a_key_had_begun_by_the_version_before(crowded: World) -> None:
    mia = await crowded.user_id("mia")
    await crowded.database.execute(
        "INSERT INTO sessions (user_id, token_hash, password_at, expires_at) VALUES ($1, $2, now(), now())",
        mia,
        bytes(32),
    )
    explained = Explained(crowded.database)
    await explained.fetch("SELECT * FROM begun_before($1)", "web")
    assert max(explained.rows) <= FEW


async def test_a_late_page_of_an_endpoints_deliveries_and_one_alone(crowded: World) -> None:
    webhook_id = await crowded.database.fetchval(
        "INSERT INTO webhooks (account_id, url, secret_sealed, secret_key_id) VALUES ($1, 'https://a', '', 'test') "
        "RETURNING id",
        crowded.account_id,
    )
    await crowded.database.execute(
        "INSERT INTO webhook_deliveries (webhook_id) SELECT $1 FROM generate_series(1, $2)", webhook_id, MANY
    )
    await crowded.database.execute("ANALYZE webhook_deliveries")
    first, last = [
        await crowded.database.fetchval(f"SELECT {end}(id) FROM webhook_deliveries") for end in ("min", "max")
    ]
    of_webhook = db.webhook_deliveries.of_webhook
    assert [each.id for each in await of_webhook(crowded.database, webhook_id, first + 2, 51)] == [first + 1, first]
    assert [each.id for each in await of_webhook(crowded.database, webhook_id, None, 2)] == [last, last - 1]
    assert [each.id for each in await of_webhook(crowded.database, webhook_id, None, 2, first)] == [first]
    assert await looked_at(crowded, of_webhook, webhook_id, first + 20, 51) <= FEW
    assert await looked_at(crowded, of_webhook, webhook_id, None, 1, first) <= FEW
