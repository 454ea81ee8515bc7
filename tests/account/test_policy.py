"""Requiring MFA of everyone: the policy, its deadline, and what the people see."""

from __future__ import annotations

import asyncio
import itertools
from datetime import datetime, timedelta

import pytest

from tests.account.acts import ask_account, move_deadline, reset, save
from tests.account.operations import DISABLE_SEEING_NOTICE
from tests.operations import IMPACT, NOTICE, POLICY, PROGRESS, UPDATE
from tests.people import World


async def test_the_requirement_is_off_by_default(world: World) -> None:
    policy = await ask_account(await world.sign_in("olive"), world, POLICY)
    assert (policy["requireMfa"], policy["gracePeriodDays"], policy["graceDeadline"]) == (False, None, None)


@pytest.mark.parametrize("name", ["olive", "adam"])
async def test_owners_and_admins_turn_it_on_with_seven_days_by_default(world: World, name: str) -> None:
    policy = (await save(await world.sign_in(name), world, True))["securityPolicy"]
    assert (policy["requireMfa"], policy["gracePeriodDays"]) == (True, 7)
    since, deadline = (datetime.fromisoformat(policy[key]) for key in ("requiredSince", "graceDeadline"))
    assert deadline - since == timedelta(days=7)
    (event,) = await world.events("POLICY_ENABLED")
    assert (event["account_id"], event["actor_id"]) == (world.account_id, await world.user_id(name))
    assert event["data"]["graceDays"] == 7


async def test_saving_without_days_keeps_those_that_hold(world: World) -> None:
    olive = await world.sign_in("olive")
    kept = (await save(olive, world, True, 14))["securityPolicy"]
    assert (await save(olive, world, True))["securityPolicy"] == kept
    assert [event["type"] for event in await world.events("POLICY_ENABLED", "POLICY_CHANGED")] == ["POLICY_ENABLED"]


@pytest.mark.parametrize(("require", "days"), [(True, -1), (True, 31), (False, 7), (False, 0)])
async def test_a_wrong_grace_period_names_the_field_and_changes_nothing(world: World, require: bool, days: int) -> None:
    answer = await save(await world.sign_in("olive"), world, require, days)
    assert (answer["__typename"], answer["field"]) == ("InvalidInput", "gracePeriodDays")
    assert await world.events("POLICY_ENABLED", "POLICY_CHANGED", "POLICY_DISABLED") == []


@pytest.mark.parametrize("days", [0, 1, 30])
async def test_a_grace_period_from_0_to_30_days_is_taken(world: World, days: int) -> None:
    answer = await save(await world.sign_in("olive"), world, True, days)
    assert answer["securityPolicy"]["gracePeriodDays"] == days


async def test_another_grace_period_moves_the_deadline_but_not_its_beginning(world: World) -> None:
    olive = await world.sign_in("olive")
    before = (await save(olive, world, True, 7))["securityPolicy"]
    after = (await save(olive, world, True, 3))["securityPolicy"]
    assert after["requiredSince"] == before["requiredSince"]
    moved = datetime.fromisoformat(before["graceDeadline"]) - datetime.fromisoformat(after["graceDeadline"])
    assert moved == timedelta(days=4)
    (event,) = await world.events("POLICY_CHANGED")
    assert event["data"]["previousDeadline"][:19] == before["graceDeadline"][:19]


async def test_saving_what_holds_is_no_change(world: World) -> None:
    olive = await world.sign_in("olive")
    first = await save(olive, world, True, 7)
    assert await save(olive, world, True) == first
    assert len(await world.events("POLICY_ENABLED", "POLICY_CHANGED")) == 1


async def test_off_and_on_again_begins_anew(world: World) -> None:
    olive = await world.sign_in("olive")
    first = (await save(olive, world, True))["securityPolicy"]
    off = (await save(olive, world, False))["securityPolicy"]
    assert (off["requireMfa"], off["requiredSince"], off["gracePeriodDays"]) == (False, None, None)
    second = (await save(olive, world, True))["securityPolicy"]
    assert second["requiredSince"] > first["requiredSince"]
    assert [e["type"] for e in await world.events("POLICY_ENABLED", "POLICY_DISABLED")] == [
        "POLICY_ENABLED",
        "POLICY_DISABLED",
        "POLICY_ENABLED",
    ]


async def test_many_saves_at_once_leave_one_policy_and_one_event_for_each_real_change(world: World) -> None:
    clients = [await world.sign_in(name) for name in ("olive", "adam")]
    await asyncio.gather(*(save(clients[n % 2], world, n % 3 != 0, 7 if n % 3 else None) for n in range(24)))
    types = [e["type"] for e in await world.events("POLICY_ENABLED", "POLICY_DISABLED", "POLICY_CHANGED")]
    assert all(one != other for one, other in itertools.pairwise(types))
    policy = await ask_account(clients[0], world, POLICY)
    assert policy["requireMfa"] is (types[-1] == "POLICY_ENABLED")


async def test_the_banner_counts_the_days_and_then_blocks(world: World) -> None:
    await save(await world.sign_in("olive"), world, True)
    mia = await world.sign_in("mia")
    notice = (await mia.ask(NOTICE))["viewer"]["mfaNotice"]
    assert notice["message"] == "Your agency requires MFA for all staff. You have 7 days to set it up."
    assert (notice["title"], notice["actionLabel"]) == ("MFA Required", "Set it up now")
    assert (notice["reason"], notice["blocking"], notice["account"]["name"]) == ("ACCOUNT_POLICY", False, "Agency")
    await move_deadline(world, "now() + interval '24 hours'")
    notice = (await mia.ask(NOTICE))["viewer"]["mfaNotice"]
    assert notice["message"] == "Your agency requires MFA for all staff. You have 1 day to set it up."
    await move_deadline(world, "now()")
    notice = (await mia.ask(NOTICE))["viewer"]["mfaNotice"]
    assert (notice["daysRemaining"], notice["blocking"]) == (0, True)
    assert notice["message"] == (
        "Your agency requires MFA for all staff. Set it up now to continue accessing your account."
    )


@pytest.mark.parametrize(("deadline", "blocked"), [("now() + interval '5 seconds'", False), ("now()", True)])
async def test_the_gate_closes_at_the_deadline(world: World, deadline: str, blocked: bool) -> None:
    olive, adam = await world.sign_in("olive"), await world.sign_in("adam")
    await save(olive, world, True)
    await move_deadline(world, deadline)
    if blocked:
        assert await adam.refusal(POLICY, account=str(world.account_id)) == "MFA_ENROLLMENT_REQUIRED"
    else:
        assert await ask_account(adam, world, POLICY)


async def test_zero_days_block_at_once_also_whoever_saved_it(world: World) -> None:
    olive = await world.sign_in("olive")
    await save(olive, world, True, 0)
    assert await olive.refusal(POLICY, account=str(world.account_id)) == "MFA_ENROLLMENT_REQUIRED"
    assert await olive.refusal(UPDATE, account=str(world.account_id), require=False) == "MFA_ENROLLMENT_REQUIRED"


async def test_enrolling_opens_the_gate(world: World) -> None:
    olive = await world.sign_in("olive")
    await save(olive, world, True, 0)
    await world.enroll(olive)
    assert (await ask_account(olive, world, POLICY))["requireMfa"] is True
    assert (await olive.ask(NOTICE))["viewer"]["mfaNotice"] is None


async def test_the_gate_of_one_account_leaves_the_others_open(world: World) -> None:
    await world.database.execute(
        "INSERT INTO staff (account_id, user_id, email, role) VALUES ($1, $2, 'sam@agency.example', 'ADMIN')",
        world.account_id,
        await world.user_id("sam"),
    )
    await save(await world.sign_in("olive"), world, True, 0)
    sam = await world.sign_in("sam")
    assert await sam.refusal(POLICY, account=str(world.account_id)) == "MFA_ENROLLMENT_REQUIRED"
    assert (await sam.ask(POLICY, account=str(world.other_account_id)))["account"]["name"] == "Other"


async def test_the_impact_is_what_saving_would_do(world: World) -> None:
    olive = await world.sign_in("olive")
    await world.enroll(olive)
    counts = {"staffCount": 3, "enrolledCount": 1}
    later = await ask_account(olive, world, IMPACT, require=True)
    assert later == counts | {"affectedCount": 2, "blockedNowCount": 0, "graceDeadline": later["graceDeadline"]}
    now = await ask_account(olive, world, IMPACT, require=True, days=0)
    assert now == counts | {"affectedCount": 2, "blockedNowCount": 2, "graceDeadline": now["graceDeadline"]}
    off = await ask_account(olive, world, IMPACT, require=False)
    assert off == counts | {"affectedCount": 0, "blockedNowCount": 0, "graceDeadline": None}
    assert await world.events("POLICY_ENABLED") == []


async def test_the_impact_of_a_shorter_grace_period_counts_from_when_the_requirement_began(world: World) -> None:
    olive = await world.sign_in("olive")
    await save(olive, world, True, 7)
    await move_deadline(world, "now() + interval '2 days'")
    impact = await ask_account(olive, world, IMPACT, require=True, days=3)
    assert impact["blockedNowCount"] == 3
    impact = await ask_account(olive, world, IMPACT, require=True, days=6)
    assert impact["blockedNowCount"] == 0


async def test_the_impact_of_an_impossible_grace_period_is_refused(world: World) -> None:
    olive = await world.sign_in("olive")
    assert await olive.refusal(IMPACT, account=str(world.account_id), require=True, days=31) == "BAD_USER_INPUT"


async def test_the_progress_counts_enrolled_pending_and_blocked(world: World) -> None:
    olive, mia = await world.sign_in("olive"), await world.sign_in("mia")
    await world.enroll(olive)
    expected = {"staffCount": 3, "enrolledCount": 1, "pendingCount": 2, "blockedCount": 0}
    assert await ask_account(olive, world, PROGRESS) == expected
    await world.enroll(mia)
    await reset(olive, world, "mia")
    assert (await ask_account(olive, world, PROGRESS)) == expected | {"pendingCount": 1, "blockedCount": 1}
    await save(olive, world, True, 0)
    assert (await ask_account(olive, world, PROGRESS)) == expected | {"pendingCount": 0, "blockedCount": 2}


async def test_the_policy_is_changed_only_within_fifteen_minutes_of_the_password(world: World) -> None:
    olive = await world.sign_in("olive")
    await world.database.execute("UPDATE sessions SET password_at = now() - interval '15 minutes'")
    refused = await olive.refusal(UPDATE, account=str(world.account_id), require=True)
    assert refused == "REAUTHENTICATION_REQUIRED"


async def test_disabling_ones_own_mfa_brings_the_banner_back(world: World) -> None:
    olive, mia = await world.sign_in("olive"), await world.sign_in("mia")
    await save(olive, world, True)
    factor = await world.enroll(mia)
    assert (await mia.ask(NOTICE))["viewer"]["mfaNotice"] is None
    answer = await mia.do(DISABLE_SEEING_NOTICE, c=await factor.code())
    assert answer["viewer"]["mfaNotice"] == {"daysRemaining": 7}
