"""Saving over what somebody else has changed since one looked: refused where the client says what it has seen."""

from __future__ import annotations

import asyncio

from tests.account.acts import ask_account, save
from tests.account.operations import LET_SEEN, SAVE_SEEN
from tests.account_recovery.operations import ALLOWED
from tests.operations import POLICY
from tests.people import World

WEEK = {"ownerDays": 7, "adminDays": 7, "memberDays": 7}
DAY = {"ownerDays": 1, "adminDays": 1, "memberDays": 1}


async def test_a_policy_that_was_changed_since_it_was_seen_stays(world: World) -> None:
    olive, adam, account = await world.sign_in("olive"), await world.sign_in("adam"), str(world.account_id)
    seen = (await ask_account(adam, world, POLICY))["updatedAt"]
    held = (await save(olive, world, True, 9))["securityPolicy"]
    assert (await adam.do(SAVE_SEEN, account=account, require=False, seen=seen))["__typename"] == "ChangedMeanwhile"
    assert await ask_account(olive, world, POLICY) == held
    assert await world.events("POLICY_DISABLED") == []


async def test_a_policy_is_saved_again_and_again_by_whoever_sees_what_they_saved(world: World) -> None:
    olive, account = await world.sign_in("olive"), str(world.account_id)
    seen = (await ask_account(olive, world, POLICY))["updatedAt"]
    for days in (1, 2, 3):
        answer = await olive.do(SAVE_SEEN, account=account, require=True, days=days, seen=seen)
        seen = answer["securityPolicy"]["updatedAt"]
    assert (await ask_account(olive, world, POLICY))["gracePeriodDays"] == 3


async def test_of_those_who_save_at_once_what_they_have_all_seen_one_does(world: World) -> None:
    olive, adam, account = await world.sign_in("olive"), await world.sign_in("adam"), str(world.account_id)
    seen = (await ask_account(olive, world, POLICY))["updatedAt"]
    saves = [
        client.do(SAVE_SEEN, account=account, require=True, days=days, seen=seen)
        for days in range(1, 6)
        for client in (olive, adam)
    ]
    kinds = [answer["__typename"] for answer in await asyncio.gather(*saves)]
    assert sorted(kinds) == ["ChangedMeanwhile"] * 9 + ["SecurityPolicyUpdated"]
    assert len(await world.events("POLICY_ENABLED", "POLICY_CHANGED")) == 1


async def test_whether_staff_come_back_alone_is_saved_over_what_was_seen_alone(world: World) -> None:
    olive, account = await world.sign_in("olive"), str(world.account_id)
    steps = [
        (WEEK, {"delays": DAY}, "ChangedMeanwhile", None),
        (WEEK, {"delays": None}, "AccountRecoverySet", WEEK),
        (DAY, {}, "ChangedMeanwhile", WEEK),
        (None, {"delays": DAY}, "ChangedMeanwhile", WEEK),
        (DAY, {"delays": WEEK}, "AccountRecoverySet", DAY),
        (WEEK, None, "AccountRecoverySet", WEEK),
    ]
    for wanted, seen, kind, held in steps:
        assert (await olive.do(LET_SEEN, account=account, delays=wanted, seen=seen))["__typename"] == kind
        assert await ask_account(olive, world, ALLOWED) == held
    assert len(await world.events("ACCOUNT_RECOVERY_CHANGED")) == 3
