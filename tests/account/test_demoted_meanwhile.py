"""An owner who is made an admin while a request of theirs waits goes on as an admin."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from db.pool import Database
from tests.account.approving import REASON, choose, tell
from tests.account.operations import APPROVE
from tests.alerts.operations import END_STAFF_SESSION
from tests.coming_in.operations import INVITE, REVOKE
from tests.operations import END_EXCEPTION, EXEMPT, ISSUE_PASS, RESET
from tests.people import World
from tests.reminders.cast import pool

__all__ = ["pool"]

Asked = Callable[[], Awaitable[dict[str, Any]]]
DEMOTED = "UPDATE staff SET role = 'ADMIN' WHERE email LIKE 'olive@%'"
OWNERS = "UPDATE staff SET role = 'OWNER' WHERE email LIKE 'adam@%'"
NEW = "new@agency.example"


async def answered(world: World, asked: Asked, change: str = DEMOTED) -> str:
    """What comes of a request that has seen its person, and waits as this changes."""
    async with world.database.transaction():
        await world.database.execute("SELECT FROM users ORDER BY id FOR NO KEY UPDATE")
        await world.database.execute("SELECT FROM accounts ORDER BY id FOR NO KEY UPDATE")
        pending = asyncio.ensure_future(asked())
        while not await world.database.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            assert not pending.done(), pending
            await asyncio.sleep(0.01)
        await world.database.execute(change)
    return str((await pending)["__typename"])


async def in_account(world: World) -> dict[str, str]:
    """The agency, and the membership of Adam, who is an owner as well."""
    await world.database.execute(OWNERS)
    return {"account": str(world.account_id), "staff": str(await world.staff_id("adam"))}


async def test_nobody_is_invited_as_an_owner(world: World) -> None:
    olive = await world.sign_in("olive")
    given = {"account": str(world.account_id), "email": NEW, "role": "OWNER"}
    assert await answered(world, lambda: olive.do(INVITE, **given)) == "NotPermitted"
    assert await world.events("STAFF_INVITED") == []


async def test_no_invitation_of_an_owner_is_taken_back(world: World) -> None:
    olive, account = await world.sign_in("olive"), str(world.account_id)
    invited = await olive.do(INVITE, account=account, email=NEW, role="OWNER")
    given = {"account": account, "id": invited["staffMember"]["invitation"]["id"]}
    assert await answered(world, lambda: olive.do(REVOKE, **given)) == "NotPermitted"
    assert await world.events("INVITATION_REVOKED") == []


async def test_no_invitation_is_taken_back_that_has_become_one_of_an_owner(world: World) -> None:
    adam, account = await world.sign_in("adam"), str(world.account_id)
    invited = await adam.do(INVITE, account=account, email=NEW, role="MEMBER")
    given = {"account": account, "id": invited["staffMember"]["invitation"]["id"]}
    anew = f"UPDATE staff SET role = 'OWNER' WHERE email = '{NEW}'"
    assert await answered(world, lambda: adam.do(REVOKE, **given), anew) == "NotPermitted"


@pytest.mark.parametrize(("operation", "event"), [(RESET, "MFA_RESET"), (ISSUE_PASS, "RECOVERY_PASS_ISSUED")])
async def test_no_owner_is_reset_or_given_a_pass(world: World, operation: str, event: str) -> None:
    olive, _ = await world.enrolled("olive"), await world.enrolled("adam")
    given = await in_account(world)
    assert await answered(world, lambda: olive.do(operation, **given, reason=REASON)) == "NotPermitted"
    assert await world.events(event) == []


async def test_nor_is_somebody_of_an_account_in_which_the_role_was_lost(world: World) -> None:
    olive, _ = await world.enrolled("olive"), await world.enrolled("mia")
    await world.database.execute(
        "INSERT INTO staff (account_id, user_id, email, role) SELECT $1, id, email, 'OWNER' FROM users "
        "WHERE email LIKE ANY ('{olive@%,mia@%}')",
        world.other_account_id,
    )
    given = {"account": str(world.account_id), "staff": str(await world.staff_id("mia"))}
    lost = f"DELETE FROM staff WHERE email LIKE 'olive@%' AND account_id = '{world.other_account_id}'"
    assert await answered(world, lambda: olive.do(RESET, **given), lost) == "NotPermitted"
    assert await world.events("MFA_RESET") == []


async def test_no_session_of_an_owner_is_ended(world: World) -> None:
    olive, _ = await world.sign_in("olive"), await world.sign_in("adam")
    session = await world.database.fetchval("SELECT id FROM sessions WHERE user_id = $1", await world.user_id("adam"))
    given = {**await in_account(world), "session": str(session)}
    assert await answered(world, lambda: olive.do(END_STAFF_SESSION, **given)) == "NotPermitted"
    assert await world.events("STAFF_SESSION_ENDED") == []


async def test_no_reset_of_an_owner_is_approved(world: World, pool: Database) -> None:
    olive, adam, _ = [await world.enrolled(name) for name in ("olive", "adam", "mia")]
    await world.database.execute("UPDATE staff SET role = 'OWNER' WHERE account_id = $1", world.account_id)
    await choose(adam, world, "EVERYONE")
    account, staff = str(world.account_id), str(await world.staff_id("mia"))
    waiting = (await adam.do(RESET, account=account, staff=staff, reason=REASON))["resetId"]
    await tell(world, pool)
    assert await answered(world, lambda: olive.do(APPROVE, account=account, reset=waiting)) == "NotPermitted"
    assert await world.events("MFA_RESET") == []


async def test_no_break_glass_account_is_marked(world: World) -> None:
    olive = await world.sign_in("olive")
    until = await world.database.fetchval("SELECT now()") + timedelta(days=1)
    given = {"accountId": str(world.account_id), "staffIds": [str(await world.staff_id("mia"))], "reason": REASON}
    marked = {**given, "until": until.isoformat(), "breakGlass": True}
    assert await answered(world, lambda: olive.do(EXEMPT, input=marked)) == "NotPermitted"
    assert await world.events("MFA_EXEMPTED") == []


async def test_no_mark_of_a_break_glass_account_is_ended(world: World) -> None:
    olive = await world.sign_in("olive")
    until = await world.database.fetchval("SELECT now()") + timedelta(days=1)
    given = {"accountId": str(world.account_id), "staffIds": [str(await world.staff_id("mia"))], "reason": REASON}
    made = await olive.do(EXEMPT, input={**given, "until": until.isoformat(), "breakGlass": True})
    ended = {"accountId": str(world.account_id), "exceptionId": made["exception"]["id"]}
    assert await answered(world, lambda: olive.do(END_EXCEPTION, input=ended)) == "NotPermitted"
    assert await world.events("MFA_EXCEPTION_ENDED") == []
