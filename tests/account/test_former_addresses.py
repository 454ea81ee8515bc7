"""An account knows whoever has left it by the address that they had then, whatever another account has made of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import db.audit
import db.evidence
import db.exceptions
import db.resets
from rules.standing import ExceptionKind
from tests.account.acts import ask_account
from tests.client import Client
from tests.operations import AUDIT
from tests.people import World, email

NEW = "adam@new.example"
LATE = datetime.now(UTC) + timedelta(days=400)
EARLY = LATE - timedelta(days=800)


async def leaves_and_moves(world: World) -> None:
    """Adam leaves the agency, and has another address in the account that he joins."""
    await world.database.execute("DELETE FROM staff WHERE email = $1", email("adam"))
    await joins(world, "Other")
    await world.database.execute("UPDATE users SET email = $2 WHERE email = $1", email("adam"), NEW)


async def joins(world: World, account: str) -> None:
    """Adam becomes a member of the account."""
    await world.database.execute(
        "INSERT INTO staff (account_id, user_id, email, role) SELECT accounts.id, users.id, users.email, 'MEMBER' "
        "FROM users, accounts WHERE users.email LIKE 'adam@%' AND name = $1",
        account,
    )


async def told(client: Client, world: World, about: str | None = None) -> list[dict[str, Any]]:
    """What the agency's log tells that Olive did not do, asked for an address or not."""
    page = await ask_account(client, world, AUDIT, filter={"email": about} if about else None)
    return [node for node in page["nodes"] if node["subjectEmail"] != email("olive")]


async def test_the_log_shows_and_finds_them_by_the_address_that_they_had(world: World) -> None:
    await world.sign_in("adam")
    olive = await world.sign_in("olive")
    (before,) = await told(olive, world, email("adam"))
    assert before["subjectEmail"] == before["actorEmail"] == email("adam")
    await leaves_and_moves(world)
    assert await told(olive, world) == await told(olive, world, email("adam")) == [before]
    assert email("adam") in before["summary"]
    assert await told(olive, world, NEW) == []


async def test_whoever_comes_back_or_has_never_left_is_known_by_their_present_address(world: World) -> None:
    await world.sign_in("adam")
    olive = await world.sign_in("olive")
    await world.database.execute("UPDATE users SET email = $2 WHERE email = $1", email("adam"), NEW)
    assert [node["subjectEmail"] for node in await told(olive, world, NEW)] == [NEW]
    assert await told(olive, world, email("adam")) == []
    await world.database.execute("UPDATE users SET email = $1 WHERE email = $2", email("adam"), NEW)
    await leaves_and_moves(world)
    await joins(world, "Agency")
    assert [node["subjectEmail"] for node in await told(olive, world, NEW)] == [NEW]


async def test_an_operator_is_known_by_their_present_address(cast: World) -> None:
    await leaves_and_moves(cast)
    assert await db.audit.people(cast.database, cast.account_id, NEW) == []
    await cast.database.execute("UPDATE users SET is_super_admin = true WHERE email = $1", NEW)
    assert await db.audit.people(cast.database, cast.account_id, NEW) == [
        await cast.database.fetchval("SELECT id FROM users WHERE email = $1", NEW)
    ]


async def test_so_do_exceptions_evidence_and_resets_that_wait(cast: World) -> None:
    adam, mia, connection = await cast.user_id("adam"), await cast.user_id("mia"), cast.database
    for whom, by in ((adam, mia), (mia, adam)):
        kind, until = ExceptionKind.EXEMPTED, LATE
        await db.exceptions.give(
            connection, cast.account_id, [whom], kind, until=until, reason="Leave", author_id=by, is_break_glass=False
        )
    await connection.execute(
        "WITH e AS (INSERT INTO events (type, subject_id, actor_id) VALUES ('SIGN_IN_SUCCEEDED', $2, $2) RETURNING id) "
        "INSERT INTO account_events (account_id, event_id) SELECT $1, id FROM e",
        cast.account_id,
        adam,
    )
    await db.resets.ask(connection, cast.account_id, mia, adam, None)
    await leaves_and_moves(cast)
    listed = await db.exceptions.listed(connection, cast.account_id, None, with_ended=True, limit=10)
    assert {(each.email, each.author_email) for each in listed} == {
        (email("adam"), email("mia")),
        (email("mia"), email("adam")),
    }
    kept = await db.evidence.exceptions(connection, cast.account_id, EARLY, LATE)
    assert {(each["email"], each["author_email"]) for each in kept} == {
        (email("adam"), email("mia")),
        (email("mia"), email("adam")),
    }
    async with connection.transaction():
        events = [each async for each in db.evidence.events(connection, cast.account_id, EARLY, LATE)]
    assert [(each["subject_email"], each["actor_email"]) for each in events] == [(email("adam"), email("adam"))]
    (waiting,) = await db.resets.waiting(connection, account_id=cast.account_id)
    assert waiting.requester_email == email("adam")
