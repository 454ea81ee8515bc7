"""How long the way back takes, who is told meanwhile, and what ends it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest

from db.pool import Database
from rules.account_recovery import TOLD_EVERY
from rules.links import Purpose
from tests.account.acts import ask_account
from tests.account.operations import SUMMARIES
from tests.account_recovery.operations import REQUEST, START, WAITING
from tests.account_recovery.waiting import (
    allow,
    ask,
    is_enrolled,
    let_pass,
    stand_still,
    start,
    started,
    tell,
    waits,
)
from tests.coming_in.links import link_to
from tests.people import World, email
from tests.reminders.cast import pool
from workers.account_recovery import carry_on

__all__ = ["pool"]


async def test_a_higher_role_lengthens_the_wait_and_a_lower_one_shortens_none(world: World, pool: Database) -> None:
    await started(world)
    await tell(world, pool)
    await world.database.execute("UPDATE staff SET role = 'OWNER' WHERE email = $1", email("mia"))
    await let_pass(world, 6.9)
    await carry_on(pool)
    assert (await is_enrolled(world), await waits(world)) == (True, True)
    await world.database.execute("UPDATE staff SET role = 'MEMBER' WHERE email = $1", email("mia"))
    await carry_on(pool)
    assert not await is_enrolled(world)
    await started(world, "adam")
    await tell(world, pool)
    await world.database.execute("UPDATE staff SET role = 'MEMBER' WHERE email = $1", email("adam"))
    await let_pass(world, 4.9)
    await carry_on(pool)
    assert await is_enrolled(world, "adam")


ALLOWED = "INSERT INTO account_recovery_policies SELECT id, 7, 5, 3 FROM accounts WHERE name = 'Agency'"
JOINED = (
    "INSERT INTO staff (account_id, user_id, email, role) SELECT accounts.id, users.id, email, 'MEMBER' "
    "FROM accounts, users WHERE accounts.name = '{}' AND email = 'mia@agency.example'"
)
OVER = {
    "the account allows it no more": "DELETE FROM account_recovery_policies",
    "a second one is to approve": "UPDATE accounts SET reset_approval = 'EVERYONE'",
    "the person has left": "DELETE FROM staff WHERE email = 'mia@agency.example'",
    "the address is another one": "UPDATE users SET email = 'thief@agency.example' WHERE email = 'mia@agency.example'",
    "the password is another one": "UPDATE users SET password_set_at = now() WHERE email = 'mia@agency.example'",
    "an account that does not allow it, too": JOINED.format("Other"),
    "the platform's operator": "UPDATE users SET is_super_admin = true WHERE email = 'mia@agency.example'",
}


@pytest.mark.parametrize("change", OVER.values(), ids=OVER.keys())
async def test_what_changes_meanwhile_ends_it(world: World, pool: Database, change: str) -> None:
    mia, _ = await started(world)
    await tell(world, pool)
    await let_pass(world, 3)
    await world.database.execute(change)
    assert (await mia.ask(WAITING))["viewer"]["accountRecovery"] is None
    assert (await carry_on(pool), await waits(world)) == (1, False)
    assert await world.database.fetchval("SELECT count(*) FROM factors") == 1
    (event,) = await world.events("ACCOUNT_RECOVERY_STOPPED")
    assert event["data"]["how"] == "lapsed"


# What ends it, and what changes that back before anybody has looked.
BACK = {
    "allowed again": ("DELETE FROM account_recovery_policies", ALLOWED),
    "no second one": [f"UPDATE accounts SET reset_approval = '{whose}'" for whose in ("EVERYONE", "NOBODY")],
    "the same address": [
        f"UPDATE users SET email = '{to}@agency.example' WHERE email = '{at}@agency.example'"
        for at, to in (("mia", "thief"), ("thief", "mia"))
    ],
    "come back": (OVER["the person has left"], JOINED.format("Agency")),
    "gone there": (
        JOINED.format("Other"),
        "DELETE FROM staff USING accounts WHERE account_id = accounts.id "
        "AND accounts.name = 'Other' AND email = 'mia@agency.example'",
    ),
    "no operator": [
        f"UPDATE users SET is_super_admin = {is_one} WHERE email = 'mia@agency.example'" for is_one in (True, False)
    ],
    "a member": [
        f"UPDATE accounts SET reset_approval = '{whose}'; UPDATE staff SET role = '{role}' WHERE email LIKE 'mia@%'"
        for whose, role in (("OWNERS_AND_ADMINS", "ADMIN"), ("OWNERS_AND_ADMINS", "MEMBER"))
    ],
}


@pytest.mark.parametrize("changes", BACK.values(), ids=BACK.keys())
async def test_what_is_changed_back_at_once_has_ended_it_all_the_same(
    world: World, pool: Database, changes: Sequence[str]
) -> None:
    mia, _ = await started(world)
    await tell(world, pool)
    for change in changes:
        await world.database.execute(change)
    await let_pass(world, 3)
    assert (await mia.ask(WAITING))["viewer"]["accountRecovery"] is None
    assert (await carry_on(pool), await waits(world), await is_enrolled(world)) == (1, False, True)
    (event,) = await world.events("ACCOUNT_RECOVERY_STOPPED")
    assert event["data"]["how"] == "lapsed"


async def test_it_begins_anew_where_the_one_before_has_lapsed_and_nobody_has_looked(
    world: World, pool: Database
) -> None:
    mia, _ = await started(world)
    for change in BACK["allowed again"]:
        await world.database.execute(change)
    assert (await start(world))["__typename"] == "AccountRecoveryStarted"
    # The end of the one before is told, of which the owners were mailed that it waits.
    told = [event["type"] for event in await world.events("ACCOUNT_RECOVERY_STARTED", "ACCOUNT_RECOVERY_STOPPED")]
    assert told == ["ACCOUNT_RECOVERY_STARTED", "ACCOUNT_RECOVERY_STOPPED", "ACCOUNT_RECOVERY_STARTED"]
    (stopped,) = await world.events("ACCOUNT_RECOVERY_STOPPED")
    assert (stopped["subject_id"], stopped["data"]["how"]) == (await world.user_id("mia"), "lapsed")
    await tell(world, pool)
    assert (await mia.ask(WAITING))["viewer"]["accountRecovery"] is not None
    await let_pass(world, 3)
    await carry_on(pool)
    assert not await is_enrolled(world)
    assert len(await world.events("ACCOUNT_RECOVERY_STOPPED")) == 1


@pytest.mark.parametrize("name", ["the account allows it no more", "a second one is to approve", "the person has left"])
async def test_what_does_not_hold_cannot_begin(world: World, name: str) -> None:
    await allow(world)
    await world.enrolled("mia")
    link = await link_to(world, email("mia"), Purpose.START_RECOVERY)
    client, challenge = await world.challenge("mia")
    await world.database.execute(OVER[name])
    assert (await client.do(REQUEST, token=challenge))["__typename"] == "NotPermitted"
    assert (await world.client().do(START, token=link))["__typename"] == "LinkExpired"
    assert not await waits(world)


async def test_where_owners_and_admins_need_a_second_one_members_may_and_they_may_not(world: World) -> None:
    await allow(world)
    await world.database.execute("UPDATE accounts SET reset_approval = 'OWNERS_AND_ADMINS'")
    for name, outcome in (("mia", "AccountRecoveryRequested"), ("adam", "NotPermitted"), ("olive", "NotPermitted")):
        await world.enrolled(name)
        assert (await ask(world, name))["__typename"] == outcome


async def test_of_two_accounts_the_longer_wait_holds_and_both_owners_hear(world: World, pool: Database) -> None:
    await allow(world)
    await allow(world, 7, 6, 6, account="Other")
    await world.database.execute(OVER["an account that does not allow it, too"])
    await world.enrolled("mia")
    assert (await ask(world))["delayDays"] == 6
    await start(world)
    assert {"mia", "olive", "sam"} <= set(await tell(world, pool))
    sent = "SELECT count(*) FROM deliveries WHERE message = 'account_recovery_started'"
    assert await world.database.fetchval(sent) == 1


async def test_it_is_not_over_before_a_mail_has_told_her_for_a_day(world: World, pool: Database) -> None:
    await started(world)
    await let_pass(world, 9)
    await carry_on(pool)
    assert await is_enrolled(world)
    await tell(world, pool)
    await world.database.execute("UPDATE deliveries SET state = 'failed' WHERE email = $1", email("mia"))
    await carry_on(pool)
    assert await is_enrolled(world)
    await tell(world, pool)
    await let_pass(world, 0.99)
    await carry_on(pool)
    assert await is_enrolled(world)
    await let_pass(world, 0.02)
    await carry_on(pool)
    assert not await is_enrolled(world)


async def test_whom_no_mail_reached_in_time_is_told_until_one_does(world: World, pool: Database) -> None:
    await started(world)
    await let_pass(world, 9)
    assert (await carry_on(pool), await carry_on(pool)) == (1, 0)
    (event,) = await world.events("ACCOUNT_RECOVERY_REMINDED")
    ahead = datetime.fromisoformat(event["data"]["until"]) - event["occurred_at"]
    assert ahead == TOLD_EVERY
    await tell(world, pool)
    await let_pass(world, 1.01)
    assert (await carry_on(pool), await is_enrolled(world)) == (1, False)


async def test_after_a_standstill_the_person_is_told_again_and_waits_for_another_day(
    world: World, pool: Database
) -> None:
    await started(world)
    await tell(world, pool)
    await stand_still(world, 3.01)  # nothing ran, or all of this is out of a backup: what stopped it may be lost
    assert (await carry_on(pool), await is_enrolled(world)) == (1, True)
    (event,) = await world.events("ACCOUNT_RECOVERY_REMINDED")
    assert datetime.fromisoformat(event["data"]["until"]) - event["occurred_at"] == TOLD_EVERY
    await tell(world, pool)
    assert (await carry_on(pool), await is_enrolled(world)) == (0, True)
    await stand_still(world, 0.99)
    assert (await carry_on(pool), await is_enrolled(world)) == (0, True)
    await stand_still(world, 0.02)
    assert (await carry_on(pool), await is_enrolled(world)) == (1, False)


async def test_a_mail_that_left_late_is_followed_by_no_other_before_the_end_that_it_tells(
    world: World, pool: Database
) -> None:
    await allow(world, member=1)
    await world.enrolled("mia")
    await start(world)
    await stand_still(world, 0.5)
    await tell(world, pool)
    await stand_still(world, 0.6)
    assert await carry_on(pool) == 0
    await stand_still(world, 0.41)
    assert (await carry_on(pool), await is_enrolled(world)) == (1, False)


async def test_what_no_mail_could_tell_of_for_a_week_after_its_end_is_ended_and_told_as_that_once(
    world: World, pool: Database
) -> None:
    await started(world)
    await let_pass(world, 9.99)
    assert (await carry_on(pool), await waits(world)) == (1, True)
    await let_pass(world, 0.99)
    assert (await carry_on(pool), await waits(world)) == (0, True)
    await let_pass(world, 0.02)
    assert (await carry_on(pool), await waits(world), await is_enrolled(world)) == (1, False, True)
    (stopped,) = await world.events("ACCOUNT_RECOVERY_STOPPED")
    assert (stopped["subject_id"], stopped["data"]["how"]) == (await world.user_id("mia"), "unreached")
    await let_pass(world, 9)
    assert await carry_on(pool) == 0
    assert len(await world.events("ACCOUNT_RECOVERY_REMINDED")) == 1
    olive = await world.sign_in("olive")
    shown = (await ask_account(olive, world, SUMMARIES))["nodes"]
    summary = f"The account recovery of {email('mia')} was stopped since no email about it could be delivered to them."
    assert summary in [each["summary"] for each in shown]


async def test_what_a_mail_has_told_of_at_last_is_carried_out_however_long_after_its_end(
    world: World, pool: Database
) -> None:
    await started(world)
    await let_pass(world, 9.5)
    assert await carry_on(pool) == 1
    await tell(world, pool)
    await stand_still(world, 0.9)
    assert (await carry_on(pool), await waits(world), await is_enrolled(world)) == (0, True, True)
    await stand_still(world, 0.11)
    assert (await carry_on(pool), await waits(world), await is_enrolled(world)) == (1, False, False)
    assert await world.events("ACCOUNT_RECOVERY_STOPPED") == []


@pytest.mark.parametrize(
    ("before", "mailed", "still"),
    [(2.9, True, 11), (9.99, False, 1.05), (9.5, True, 1.05)],
    ids=["before its end", "after a week", "as a mail had left at last"],
)
async def test_after_a_standstill_none_is_ended_as_one_that_no_mail_could_tell_of(
    world: World, pool: Database, before: float, mailed: bool, still: float
) -> None:
    await started(world)
    await let_pass(world, before)
    await carry_on(pool)
    reminded = len(await world.events("ACCOUNT_RECOVERY_REMINDED"))
    if mailed:
        await tell(world, pool)
    await stand_still(world, still)
    assert (await carry_on(pool), await waits(world), await is_enrolled(world)) == (1, True, True)
    assert len(await world.events("ACCOUNT_RECOVERY_REMINDED")) == reminded + 1
    assert await world.events("ACCOUNT_RECOVERY_STOPPED") == []
    # Had there been no mailbox, a day more ends it.
    await stand_still(world, 1.01)
    assert (await carry_on(pool), await waits(world), await is_enrolled(world)) == (1, False, True)


async def test_one_that_no_mail_could_tell_of_begins_anew_by_the_link_of_one_that_does(
    world: World, pool: Database
) -> None:
    await started(world)
    await let_pass(world, 9.5)
    await carry_on(pool)
    await let_pass(world, 1.01)
    began = (await start(world))["accountRecovery"]
    span = [datetime.fromisoformat(began[name]) for name in ("startedAt", "endsAt")]
    assert (span[1] - span[0]).days == 3
    (stopped,) = await world.events("ACCOUNT_RECOVERY_STOPPED")
    assert stopped["data"]["how"] == "unreached"
