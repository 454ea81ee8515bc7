"""Staff who wait to come back alone, before their owners and admins: listed, followed, told of, and stopped."""

from __future__ import annotations

import asyncio

import pytest

from db.pool import Database
from tests.account.acts import ask_account
from tests.account.operations import SUMMARIES
from tests.account_recovery.operations import CANCEL, COMING_BACK, RECOVERIES, STOP_OF, WAITING
from tests.account_recovery.waiting import allow, is_enrolled, let_pass, start, started, tell, told, waits
from tests.client import Client
from tests.people import World, age_proofs, email, facts_of
from tests.reminders.cast import planned, pool
from tests.watching.watch import watching
from workers.account_recovery import carry_on

__all__ = ["pool"]

ANOTHER_OWNER = "UPDATE staff SET role = 'OWNER' WHERE email = 'adam@agency.example'"
ALSO_ELSEWHERE = (
    "INSERT INTO staff (account_id, user_id, email, role) SELECT accounts.id, users.id, email, 'MEMBER' "
    "FROM accounts, users WHERE accounts.name = 'Other' AND email = 'mia@agency.example'"
)


async def stop(client: Client, world: World, name: str = "mia") -> str:
    """Stop what waits for this member; what came of it."""
    answer = await client.do(STOP_OF, account=str(world.account_id), staff=str(await world.staff_id(name)))
    return str(answer["__typename"])


@pytest.mark.parametrize(("name", "may_stop"), [("olive", True), ("adam", True), ("sue", False)])
async def test_what_waits_is_listed_for_owners_admins_and_operators(world: World, name: str, may_stop: bool) -> None:
    mia, _ = await started(world)
    shown = (await mia.ask(WAITING))["viewer"]["accountRecovery"]
    client = await world.enrolled(name)
    assert await ask_account(client, world, RECOVERIES) == [
        {"staffMember": {"email": email("mia")}, "canStop": may_stop, **shown}
    ]
    await world.database.execute("DELETE FROM account_recovery_policies")
    assert await ask_account(client, world, RECOVERIES) == []


@pytest.mark.parametrize("name", ["olive", "adam"])
async def test_an_owner_or_admin_stops_it_at_once_without_a_fresh_proof(
    world: World, pool: Database, name: str
) -> None:
    await started(world)
    await tell(world, pool)
    client = await world.enrolled(name)
    await age_proofs(world, "16 minutes")
    answer = await client.do(STOP_OF, account=str(world.account_id), staff=str(await world.staff_id("mia")))
    assert answer == {
        "__typename": "StaffAccountRecoveryStopped",
        "staffMember": {"email": email("mia"), "mfaEnabled": True},
    }
    assert not await waits(world)
    (event,) = await world.events("ACCOUNT_RECOVERY_STOPPED")
    ids = (event["subject_id"], event["actor_id"])
    assert (ids, facts_of(event)) == ((await world.user_id("mia"), await world.user_id(name)), {"how": "manager"})
    olive = await world.sign_in("olive") if name == "adam" else client
    shown = (await ask_account(olive, world, SUMMARIES))["nodes"]
    summary = f"The account recovery of {email('mia')} was stopped by an owner or admin."
    assert summary in [each["summary"] for each in shown]
    await planned(world, pool)
    assert (await told(world))["account_recovery_stopped"] == ["mia"]
    assert await stop(client, world) == "AccountRecoveryEnded"
    await let_pass(world, 9)
    assert (await carry_on(pool), await is_enrolled(world)) == (0, True)


async def test_an_admin_stops_that_of_an_owner_and_an_owner_their_own(world: World) -> None:
    olive, _ = await started(world, "olive")
    assert await stop(olive, world, "olive") == "StaffAccountRecoveryStopped"
    assert (await start(world, "olive"))["__typename"] == "AccountRecoveryStarted"
    assert await stop(await world.enrolled("adam"), world, "olive") == "StaffAccountRecoveryStopped"


@pytest.mark.parametrize(
    ("name", "outcome"), [("mia", "NOT_FOUND"), ("sam", "NOT_FOUND"), (None, "UNAUTHENTICATED"), ("petra", "NOT_FOUND")]
)
async def test_nobody_else_lists_or_stops_it(world: World, name: str | None, outcome: str) -> None:
    mia, _ = await started(world)
    client = mia if name == "mia" else await world.sign_in(name) if name else world.client()
    given = {"account": str(world.account_id), "staff": str(await world.staff_id("mia"))}
    assert await client.refusal(STOP_OF, **given) == outcome
    assert await client.refusal(RECOVERIES, account=str(world.account_id)) == outcome
    assert await waits(world)


async def test_an_operator_looks_and_stops_nothing(world: World) -> None:
    await started(world)
    assert await stop(await world.enrolled("sue"), world) == "NotPermitted"
    assert await waits(world)


async def test_the_owner_of_another_account_stops_nobody_by_their_id(world: World) -> None:
    await started(world)
    sam = await world.sign_in("sam")
    given = {"account": str(world.other_account_id), "staff": str(await world.staff_id("mia"))}
    assert await sam.refusal(STOP_OF, **given) == "NOT_FOUND"
    assert await waits(world)


async def test_each_of_two_accounts_sees_it_and_either_stops_it(world: World) -> None:
    await allow(world, account="Other")
    await world.database.execute(ALSO_ELSEWHERE)
    await started(world)
    sam = await world.sign_in("sam")
    listed = (await sam.ask(RECOVERIES, account=str(world.other_account_id)))["account"]["accountRecoveries"]
    assert [each["staffMember"]["email"] for each in listed] == [email("mia")]
    find = "SELECT id FROM staff WHERE account_id = $1 AND email = $2"
    staff = await world.database.fetchval(find, world.other_account_id, email("mia"))
    answer = await sam.do(STOP_OF, account=str(world.other_account_id), staff=str(staff))
    assert answer["__typename"] == "StaffAccountRecoveryStopped"
    assert not await waits(world)


async def test_of_thirty_who_stop_it_at_once_one_does(world: World) -> None:
    mia, _ = await started(world)
    olive, adam = await world.enrolled("olive"), await world.enrolled("adam")
    given = {"account": str(world.account_id), "staff": str(await world.staff_id("mia"))}
    stops = [client.raw(STOP_OF, **given) for client in (olive, adam) for _ in range(10)]
    await asyncio.gather(*stops, *(mia.raw(CANCEL) for _ in range(10)))
    assert len(await world.events("ACCOUNT_RECOVERY_STOPPED")) == 1


async def test_whoever_watches_hears_when_it_begins_and_ends(world: World) -> None:
    olive = await world.enrolled("olive")
    async with watching(world, olive, COMING_BACK) as watch:
        assert await watch.next() == {"recoveriesWaitingCount": 0}
        mia, _ = await started(world)
        while (told_now := await watch.next()) == {"recoveriesWaitingCount": 0}:
            pass  # she has enrolled
        assert told_now == {"recoveriesWaitingCount": 1}
        await mia.do(CANCEL)
        assert await watch.next() == {"recoveriesWaitingCount": 0}


async def test_admins_are_told_where_the_only_owner_is_the_one_who_waits(world: World, pool: Database) -> None:
    await started(world, "olive")
    await tell(world, pool)
    await let_pass(world, 1)
    await carry_on(pool)
    await tell(world, pool)
    assert await told(world) == {
        "account_recovery_started": ["olive"],
        "account_recovery_started_owners": ["adam"],
        "account_recovery_reminded": ["olive"],
        "account_recovery_reminded_owners": ["adam"],
    }


async def test_another_owner_is_told_in_the_admins_place(world: World, pool: Database) -> None:
    await world.database.execute(ANOTHER_OWNER)
    await world.database.execute("UPDATE staff SET role = 'ADMIN' WHERE email = $1", email("mia"))
    await started(world, "olive")
    await tell(world, pool)
    assert (await told(world))["account_recovery_started_owners"] == ["adam"]


async def test_the_owners_of_each_account_are_told_each_day_and_the_person_once_a_day(
    world: World, pool: Database
) -> None:
    await allow(world, account="Other")
    await world.database.execute(ALSO_ELSEWHERE)
    await started(world)
    await tell(world, pool)
    await let_pass(world, 1)
    assert await carry_on(pool) == 1
    await tell(world, pool)
    found = await told(world)
    assert found["account_recovery_reminded"] == ["mia"]
    assert found["account_recovery_reminded_owners"] == ["olive", "sam"]


async def test_an_owner_in_one_of_two_accounts_gets_no_second_mail_about_themselves(
    world: World, pool: Database
) -> None:
    await allow(world, account="Other")
    await world.database.execute(ALSO_ELSEWHERE)
    await world.database.execute("UPDATE staff SET role = 'OWNER' WHERE email = $1", email("mia"))
    await started(world)
    await tell(world, pool)
    found = await told(world)
    assert found == {"account_recovery_started": ["mia"], "account_recovery_started_owners": ["olive", "sam"]}
