"""What an owner or admin gave or asked for holds only as long as they might give or ask for it still."""

from __future__ import annotations

import asyncio

from db.pool import Database
from tests.account.acts import ask_account, reset
from tests.account.adams import NOT_ANY_MORE, OF_MIA, ROLE, given, not_any_more, still
from tests.account.approving import REASON, asked, choose, decide, has_factor, tell
from tests.account.operations import APPROVE, WAITING
from tests.account_recovery.waiting import allow, let_pass, start
from tests.account_recovery.waiting import tell as tell_of_recovery
from tests.client import Client
from tests.commands import Command
from tests.enrollment.passes import begun, redeem
from tests.operations import REPLACE, RESET, VIEWER
from tests.people import World, email
from tests.reminders.cast import pool
from workers.account_recovery import carry_on

__all__ = ["pool"]


async def asked_by_adam(world: World) -> tuple[Client, Client, str]:
    """Olive, Adam, and the id of the reset of Mia that Adam has asked for."""
    olive, adam = await world.enrolled("olive"), await world.enrolled("adam")
    await world.let_have_mfa("mia")
    await choose(olive, world, "EVERYONE")
    return olive, adam, (await reset(adam, world, "mia", REASON))["resetId"]


@not_any_more
async def test_a_pass_ends_with_what_it_took_to_give_it(world: World, change: str) -> None:
    recovery_pass = await given(world)
    await world.database.execute(change)
    assert (await redeem(world, recovery_pass))[1]["__typename"] == "RecoveryPassExpired"
    assert await world.events("RECOVERY_PASS_USED") == []


@still
async def test_a_pass_that_might_be_given_still_is_good(world: World, change: str) -> None:
    recovery_pass = await given(world)
    await world.database.execute(change)
    assert (await redeem(world, recovery_pass))[1]["__typename"] == "RecoverySession"


async def test_an_owner_who_is_an_admin_now_keeps_no_pass_for_an_owner(world: World) -> None:
    await world.database.execute("UPDATE staff SET role = 'OWNER'")
    recovery_pass = await given(world)
    await world.database.execute(ROLE.format("ADMIN", "adam"))
    assert (await redeem(world, recovery_pass))[1]["__typename"] == "RecoveryPassExpired"


async def test_a_pass_for_somebody_who_runs_the_platform_now_is_over(world: World) -> None:
    recovery_pass = await given(world)
    await world.database.execute(OF_MIA.format("is_super_admin = true"))
    assert (await redeem(world, recovery_pass))[1]["__typename"] == "RecoveryPassExpired"


@not_any_more
async def test_a_reset_is_approved_no_more_once_whoever_asked_might_not_ask_for_it(
    world: World, pool: Database, change: str
) -> None:
    olive, _, reset_id = await asked_by_adam(world)
    await tell(world, pool)
    await world.database.execute(change)
    assert (await decide(olive, world, APPROVE, reset_id))["__typename"] == "MfaResetEnded"
    assert await has_factor(world)
    assert await world.events("MFA_RESET") == []


@still
async def test_a_reset_that_might_be_asked_for_still_is_approved(world: World, pool: Database, change: str) -> None:
    olive, _, reset_id = await asked_by_adam(world)
    await tell(world, pool)
    await world.database.execute(change)
    assert (await decide(olive, world, APPROVE, reset_id))["__typename"] == "StaffMfaReset"


@not_any_more
async def test_what_nobody_can_approve_any_more_gives_way_to_a_new_request(world: World, change: str) -> None:
    olive, _, reset_id = await asked_by_adam(world)
    await world.database.execute(change)
    anew = await reset(olive, world, "mia", REASON)
    assert anew["__typename"] == "MfaResetPending"
    assert anew["resetId"] != reset_id
    (event,) = await world.events("MFA_RESET_DECLINED")
    assert (event["actor_id"], event["subject_id"]) == (await world.user_id("olive"), await world.user_id("mia"))
    assert event["data"]["requesterEmail"] == email("adam")
    asked_for = await world.events("MFA_RESET_REQUESTED")
    assert [each["actor_id"] for each in asked_for] == [await world.user_id(name) for name in ("adam", "olive")]
    assert [each["id"] for each in await ask_account(olive, world, WAITING)] == [anew["resetId"]]


@still
async def test_what_somebody_can_approve_still_waits_on_whoever_asks_again(world: World, change: str) -> None:
    olive, _, reset_id = await asked_by_adam(world)
    await world.database.execute(change)
    assert (await reset(olive, world, "mia", REASON))["resetId"] == reset_id
    assert await world.events("MFA_RESET_DECLINED") == []


async def test_whoever_has_enrolled_anew_asks_anew_themselves(world: World) -> None:
    _, adam, reset_id = await asked_by_adam(world)
    await world.database.execute(NOT_ANY_MORE["he has enrolled anew"])
    assert (await reset(adam, world, "mia", REASON))["resetId"] != reset_id
    assert len(await world.events("MFA_RESET_DECLINED")) == 1


async def test_of_many_who_ask_at_once_one_takes_its_place(world: World) -> None:
    olive, _, reset_id = await asked_by_adam(world)
    await world.database.execute(ROLE.format("MEMBER", "adam"))
    asking = {"account": str(world.account_id), "staff": str(await world.staff_id("mia")), "reason": REASON}
    answers = await asyncio.gather(*(olive.do(RESET, **asking) for _ in range(10)))
    (anew,) = {answer["resetId"] for answer in answers}
    assert anew != reset_id
    assert len(await world.events("MFA_RESET_DECLINED")) == 1
    assert len(await world.events("MFA_RESET_REQUESTED")) == 2


async def only_declined(world: World) -> dict[str, object]:
    """Who declined what Adam had asked for, which waits no more, and which account is told."""
    assert await world.database.fetchval("SELECT count(*) FROM reset_requests") == 0
    (event,) = await world.events("MFA_RESET_DECLINED")
    assert (event["account_id"], event["subject_id"]) == (world.account_id, await world.user_id("mia"))
    assert event["data"]["requesterEmail"] == email("adam")
    return event


async def test_what_somebody_asked_for_ends_when_they_are_reset(world: World) -> None:
    olive, _, _ = await asked_by_adam(world)
    await choose(olive, world, "NOBODY")
    assert (await reset(olive, world, "adam"))["__typename"] == "StaffMfaReset"
    assert (await only_declined(world))["actor_id"] == await world.user_id("olive")
    assert await ask_account(olive, world, WAITING) == []
    assert await has_factor(world)


async def test_so_it_does_when_an_operator_resets_them(world: World, operate: Command) -> None:
    await asked_by_adam(world)
    done = operate("mfa", "reset", "--email", email("adam"))
    assert done.returncode == 0, done.stderr
    event = await only_declined(world)
    assert (event["actor_id"], "operator" in str(event["data"])) == (None, True)


async def test_so_it_does_when_they_have_come_back_alone(world: World, pool: Database) -> None:
    olive, _, _ = await asked_by_adam(world)
    await choose(olive, world, "NOBODY")
    await allow(world)
    assert (await start(world, "adam"))["__typename"] == "AccountRecoveryStarted"
    await tell_of_recovery(world, pool)
    await let_pass(world, 5)
    await carry_on(pool)
    assert (await only_declined(world))["actor_id"] == await world.user_id("adam")


async def test_what_a_pass_of_theirs_has_begun_ends_when_they_have_come_back_alone(
    world: World, pool: Database
) -> None:
    mia, _ = await redeem(world, await given(world))
    answer = await mia.do(REPLACE, code=await (await begun(mia)).code())
    assert answer["__typename"] == "AuthenticatorReplaced"
    await allow(world)
    assert (await start(world, "adam"))["__typename"] == "AccountRecoveryStarted"
    await tell_of_recovery(world, pool)
    await let_pass(world, 5)
    await carry_on(pool)
    assert await mia.ask(VIEWER) == {"viewer": None}


async def test_what_others_asked_for_goes_on_waiting(world: World, operate: Command) -> None:
    olive, _, reset_id = await asked(world)
    assert operate("mfa", "reset", "--email", email("adam")).returncode == 0
    assert [each["id"] for each in await ask_account(olive, world, WAITING)] == [reset_id]
    assert await world.events("MFA_RESET_DECLINED") == []
