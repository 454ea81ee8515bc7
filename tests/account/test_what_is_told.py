"""What the audit log tells first: codes that come again, operators who look, and by what people were recognised."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.client import Client
from tests.coming_in.operations import CHANGE
from tests.operations import AUDIT, DISABLE, POLICY, REAUTHENTICATE, REGENERATE, REMIND, UPDATE, VERIFY
from tests.people import PASSWORD, World, begin, email


async def told(client: Client, world: World) -> list[dict[str, Any]]:
    """The agency's log, oldest first."""
    shown = await client.ask(AUDIT, account=str(world.account_id), first=500)
    return list(reversed(shown["account"]["auditLog"]["nodes"]))


async def test_a_spent_code_that_comes_again_is_told_of_as_such(world: World) -> None:
    mia, olive = await world.sign_in("mia"), await world.sign_in("olive")
    _, factor = await begin(mia)
    spent = await factor.code()
    await mia.do(VERIFY, code=spent)
    for operation in (DISABLE, REGENERATE):
        assert (await mia.do(operation, code=spent))["__typename"] == "InvalidCode"
    shown = [(each["type"], each["method"]) for each in await told(olive, world) if each["type"].startswith("CODE_")]
    assert shown == [("CODE_REPLAYED", "otp")] * 2
    (event, _) = await world.events("CODE_REPLAYED")
    assert event["subject_id"] == await world.user_id("mia")


async def test_an_operator_who_looks_is_told_of_once_an_hour_and_account(world: World) -> None:
    sue, olive = await world.enrolled("sue"), await world.sign_in("olive")
    await asyncio.gather(*(sue.ask(POLICY, account=str(world.account_id)) for _ in range(10)))
    await olive.ask(POLICY, account=str(world.account_id))
    (event,) = await world.events("ACCOUNT_VIEWED")
    assert (event["account_id"], event["actor_id"]) == (world.account_id, await world.user_id("sue"))
    (shown,) = [each for each in await told(olive, world) if each["type"] == "ACCOUNT_VIEWED"]
    assert (shown["actorEmail"], shown["ipAddress"]) == (email("sue"), "127.0.0.1")
    await sue.ask(POLICY, account=str(world.other_account_id))
    await world.database.execute("UPDATE throttles SET locked_until = now() WHERE key LIKE 'viewed:%'")
    await sue.ask(POLICY, account=str(world.account_id))
    assert [event["account_id"] for event in await world.events("ACCOUNT_VIEWED")] == [
        world.account_id,
        world.other_account_id,
        world.account_id,
    ]


async def test_what_cannot_be_told_of_a_view_shows_nothing_by_whichever_field(world: World) -> None:
    sue = await world.enrolled("sue")
    await world.database.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$; "
        "CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW WHEN (new.type = 'ACCOUNT_VIEWED') "
        "EXECUTE FUNCTION refuse()"
    )
    account = f'account(id: "{world.account_id}") {{ name }}'
    answer = await sue.raw(f"{{ {' '.join(f'a{n}: {account}' for n in range(5))} }}")
    assert answer["data"] == {f"a{n}": None for n in range(5)}


async def test_who_may_not_look_is_told_of_to_nobody(world: World) -> None:
    sue, mia = await world.sign_in("sue"), await world.sign_in("mia")
    assert await sue.refusal(POLICY, account=str(world.account_id)) == "MFA_ENROLLMENT_REQUIRED"
    assert await mia.refusal(POLICY, account=str(world.other_account_id)) == "NOT_FOUND"
    assert await world.events("ACCOUNT_VIEWED") == []


async def test_each_event_tells_by_what_the_person_was_recognised(world: World) -> None:
    mia, olive = await world.sign_in("mia"), await world.sign_in("olive")
    assert (await mia.do(CHANGE, current=PASSWORD, new="a wholly other phrase"))["__typename"] == "PasswordChanged"
    factor = await world.enroll(mia)
    await mia.do(REAUTHENTICATE, password="a wholly other phrase")
    assert (await mia.do(DISABLE, code=await factor.code()))["__typename"] == "MfaDisabled"
    shown = [(each["type"], each["method"]) for each in await told(olive, world) if each["actorEmail"] == email("mia")]
    assert shown == [
        ("SIGN_IN_SUCCEEDED", "pwd"),
        ("PASSWORD_CHANGED", "pwd"),
        ("MFA_ENABLED", "otp"),
        ("REAUTHENTICATED", "pwd"),
        ("MFA_DISABLED", "otp"),
    ]


async def test_what_is_done_in_a_session_tells_where_from_and_by_what_it_was_begun(world: World) -> None:
    olive = await world.enrolled("olive")
    account, staff = str(world.account_id), [str(await world.staff_id("mia"))]
    await olive.do(UPDATE, account=account, require=True, days=7)
    await olive.do(REMIND, account=account, staff=staff)
    shown = [each for each in await told(olive, world) if each["type"] in {"POLICY_ENABLED", "GRACE_REMINDER_SENT"}]
    origin = [(each["ipAddress"], each["userAgent"] is not None, each["method"]) for each in shown]
    assert origin == [("127.0.0.1", True, "pwd")] * 2


async def test_a_lock_tells_what_was_tried_and_where_from(world: World) -> None:
    mia, olive = await world.sign_in("mia"), await world.sign_in("olive")
    await world.enroll(mia)
    for _ in range(10):
        await mia.do(REGENERATE, code="000000")
    (locked,) = [each for each in await told(olive, world) if each["type"] == "MFA_CHALLENGE_LOCKED"]
    assert (locked["method"], locked["ipAddress"]) == ("otp", "127.0.0.1")
