"""Coming back alone, slowly: what is asked for, who is told, how long it takes, and what ends it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from db.pool import Database
from tests.account.acts import ask_account
from tests.account_recovery.operations import ALLOW, ALLOWED, CANCEL, CODE, STOP, STOPPED, WAITING
from tests.account_recovery.waiting import (
    allow,
    ask,
    is_enrolled,
    let_pass,
    start,
    started,
    stop_link,
    tell,
    told,
    waits,
)
from tests.client import Client
from tests.line import Line, give_factors
from tests.operations import COMPLETE, ISSUE_PASS, REDEEM_PASS, SIGN_IN, VIEWER, VIEWER_EMAIL
from tests.parts import body_of
from tests.people import PASSWORD, Factor, World, email, facts_of
from tests.reminders.cast import pool
from tests.waiting import until
from workers.account_recovery import carry_on

__all__ = ["pool"]


async def choose(client: Client, world: World, *days: int) -> dict[str, Any]:
    delays = dict(zip(("ownerDays", "adminDays", "memberDays"), days, strict=True)) if days else None
    return await client.do(ALLOW, account=str(world.account_id), delays=delays)


async def test_it_is_off_unless_an_owner_allows_it(world: World) -> None:
    await world.enrolled("mia")
    assert (await ask(world))["__typename"] == "NotPermitted"
    olive = await world.enrolled("olive")
    assert await ask_account(olive, world, ALLOWED) is None
    held = {"ownerDays": 7, "adminDays": 5, "memberDays": 3}
    for _ in range(2):
        assert (await choose(olive, world, 7, 5, 3))["accountRecovery"] == held
    assert await ask_account(olive, world, ALLOWED) == held
    assert (await ask(world)) == {"__typename": "AccountRecoveryRequested", "delayDays": 3}
    assert (await choose(olive, world))["accountRecovery"] is None
    assert (await ask(world))["__typename"] == "NotPermitted"
    events = await world.events("ACCOUNT_RECOVERY_CHANGED")
    assert [facts_of(event) for event in events] == [held, {}]


@pytest.mark.parametrize("days", [(0, 1, 1), (1, 8, 1), (1, 1, -1)])
async def test_a_wait_is_one_to_seven_days(world: World, days: tuple[int, int, int]) -> None:
    olive = await world.enrolled("olive")
    refused = await choose(olive, world, *days)
    name = ("ownerDays", "adminDays", "memberDays")[[1 <= each <= 7 for each in days].index(False)]
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", name)
    assert await ask_account(olive, world, ALLOWED) is None


async def test_owners_alone_choose_it(world: World) -> None:
    adam = await world.enrolled("adam")
    assert (await choose(adam, world, 1, 1, 1))["__typename"] == "NotPermitted"
    for name in ("mia", "sam"):
        client = await world.sign_in(name)
        assert await client.refusal(ALLOW, account=str(world.account_id), delays=None) == "NOT_FOUND"
    assert await world.events("ACCOUNT_RECOVERY_CHANGED") == []


async def test_the_whole_way(world: World, pool: Database) -> None:
    await allow(world)
    mia = await world.enrolled("mia")
    assert (await ask(world))["delayDays"] == 3
    assert set(await tell(world, pool)) == {"mia"}
    assert not await waits(world)
    answer = await start(world)
    shown = (await mia.ask(WAITING))["viewer"]["accountRecovery"]
    assert shown == answer["accountRecovery"]
    assert {"mia", "olive"} <= set(await tell(world, pool))
    await let_pass(world, 2.99)
    await carry_on(pool)
    assert await is_enrolled(world)
    assert (await mia.ask(VIEWER))["viewer"]["email"] == email("mia")
    await let_pass(world, 0.02)
    assert (await carry_on(pool), await carry_on(pool)) == (1, 0)
    assert not await is_enrolled(world)
    assert (await mia.ask(VIEWER_EMAIL))["viewer"] is None
    (event,) = await world.events("ACCOUNT_RECOVERY_COMPLETED")
    assert event["subject_id"] == await world.user_id("mia")
    back = await world.sign_in("mia")
    mfa = (await back.ask(STOPPED))["viewer"]
    assert mfa == {"mfa": {"reenrollmentRequired": True}, "mfaNotice": {"blocking": True}}
    await world.enroll(back)


@pytest.mark.parametrize(("name", "days"), [("olive", 7), ("adam", 5), ("mia", 3)])
async def test_how_long_goes_by_the_role(world: World, pool: Database, name: str, days: int) -> None:
    await started(world, name)
    assert (await ask(world, name))["delayDays"] == days
    await tell(world, pool)
    await let_pass(world, days - 0.01)
    await carry_on(pool)
    assert await is_enrolled(world, name)
    await let_pass(world, 0.02)
    await carry_on(pool)
    assert not await is_enrolled(world, name)


async def test_the_person_and_every_owner_are_told_at_once_and_each_day(world: World, pool: Database) -> None:
    await started(world)
    await tell(world, pool)
    assert await told(world) == {"account_recovery_started": ["mia"], "account_recovery_started_owners": ["olive"]}
    for day in (1, 2):
        await let_pass(world, 1)
        assert (await carry_on(pool), await carry_on(pool)) == (1, 0)
        assert len(await world.events("ACCOUNT_RECOVERY_REMINDED")) == day
    await let_pass(world, 1)
    await carry_on(pool)
    assert len(await world.events("ACCOUNT_RECOVERY_REMINDED")) == 2
    await tell(world, pool)
    assert await told(world) == {
        "account_recovery_started": ["mia"],
        "account_recovery_started_owners": ["olive"],
        "account_recovery_reminded": ["mia"] * 2,
        "account_recovery_reminded_owners": ["olive"] * 2,
        "account_recovery_completed": ["mia"],
    }


async def by_app(world: World, mia: Client, factor: Factor) -> str:
    client, token = await world.challenge("mia")
    return str((await client.do(COMPLETE, token=token, code={"totp": await factor.code()}))["__typename"])


async def by_backup_code(world: World, mia: Client, factor: Factor) -> str:
    client, token = await world.challenge("mia")
    return str((await client.do(COMPLETE, token=token, code={"backupCode": factor.backup_codes[0]}))["__typename"])


async def by_code_in_a_session(world: World, mia: Client, factor: Factor) -> str:
    return str((await mia.do(CODE, code={"totp": await factor.code()}))["__typename"])


async def by_pass(world: World, mia: Client, factor: Factor) -> str:
    olive = await world.enrolled("olive")
    staff = str(await world.staff_id("mia"))
    issued = await olive.do(ISSUE_PASS, account=str(world.account_id), staff=staff, reason="Phone lost")
    client, token = await world.challenge("mia")
    answer = await client.do(REDEEM_PASS, token=token, recoveryPass=issued["recoveryPass"])
    return str(answer["__typename"])


async def by_link(world: World, mia: Client, factor: Factor) -> str:
    return str((await world.client().do(STOP, token=await stop_link(world)))["__typename"])


async def by_owners_link(world: World, mia: Client, factor: Factor) -> str:
    answer = await world.client().do(STOP, token=await stop_link(world, "olive"))
    assert answer["email"] == email("mia")
    return str(answer["__typename"])


async def by_link_of_a_later_mail(world: World, mia: Client, factor: Factor) -> str:
    token = await stop_link(world, event_type="ACCOUNT_RECOVERY_REMINDED")
    return str((await world.client().do(STOP, token=token))["__typename"])


async def in_a_session(world: World, mia: Client, factor: Factor) -> str:
    for _ in range(2):
        answer = await mia.do(CANCEL)
    return str(answer["__typename"])


@pytest.mark.parametrize(
    ("act", "outcome", "how"),
    [
        (by_app, "SignedIn", "otp"),
        (by_backup_code, "SignedIn", "backup_code"),
        (by_code_in_a_session, "Reauthenticated", "otp"),
        (by_pass, "RecoverySession", "recovery_pass"),
        (by_link, "AccountRecoveryStopped", "email_link"),
        (by_owners_link, "AccountRecoveryStopped", "email_link"),
        (by_link_of_a_later_mail, "AccountRecoveryStopped", "email_link"),
        (in_a_session, "AccountRecoveryCancelled", "session"),
    ],
)
async def test_any_of_these_stops_it_at_once(world: World, pool: Database, act: Any, outcome: str, how: str) -> None:
    mia, factor = await started(world)
    await tell(world, pool)
    await let_pass(world, 1)
    await carry_on(pool)
    assert await act(world, mia, factor) == outcome
    assert not await waits(world)
    (event,) = await world.events("ACCOUNT_RECOVERY_STOPPED")
    assert (event["subject_id"], facts_of(event)) == (await world.user_id("mia"), {"how": how})
    await let_pass(world, 9)
    assert (await carry_on(pool), await is_enrolled(world)) == (0, True)


async def test_the_mails_hold_their_links_and_a_worker_carries_it_out(line: Line) -> None:
    world, database = line.world, line.database
    mia, olive = await world.user_id("mia"), await world.user_id("olive")
    await allow(world)
    await give_factors(database, [mia])
    async with database.transaction():
        await database.execute(
            "INSERT INTO account_recoveries (user_id, email, ends_at) SELECT id, email, now() + interval '3 days' "
            "FROM users WHERE id = $1",
            mia,
        )
        await database.execute(
            "INSERT INTO events (type, account_id, subject_id, actor_id, data) SELECT 'ACCOUNT_RECOVERY_STARTED', $1, "
            "user_id, user_id, jsonb_build_object('subjectEmail', email, 'until', ends_at) FROM account_recoveries",
            world.account_id,
        )
    await line.start("relay", "worker", "beat")
    to = {email("mia"), email("olive")}
    await until(lambda: {message["to"] for message in line.mailbox.messages} == to, "both mails")
    bodies = [body_of(message) for message in line.mailbox.messages]
    found = [re.findall(r"Stop it:\s+http\S+/not-my-recovery#token=(gh_l_\S+)", body) for body in bodies]
    assert [len(each) for each in found] == [1, 1]
    rows = await database.fetch("SELECT user_id, purpose FROM links")
    assert {tuple(row) for row in rows} == {(mia, "STOP_RECOVERY"), (olive, "STOP_RECOVERY")}
    await line.until_all("sent", 2)
    await let_pass(world, 3)
    await until(lambda: world.events("ACCOUNT_RECOVERY_COMPLETED"), "it is carried out")
    assert not await is_enrolled(world)
    await until(
        lambda: any("The wait is over" in body_of(message) for message in line.mailbox.messages), "the last mail"
    )


@pytest.mark.parametrize("kind", ["ACCOUNT_RECOVERY_STARTED", "ACCOUNT_RECOVERY_REMINDED"])
async def test_no_mail_about_one_leaves_that_waits_no_more(line: Line, kind: str) -> None:
    await give_factors(line.database, [await line.world.user_id("mia")])
    await line.database.execute(
        "INSERT INTO events (type, account_id, subject_id, actor_id, data) "
        "VALUES ($1, $2, $3, $3, jsonb_build_object('subjectEmail', $4::text, 'until', now()))",
        kind,
        line.world.account_id,
        await line.world.user_id("mia"),
        email("mia"),
    )
    await line.start("relay", "worker")
    await line.until_all("dropped", 2)
    assert line.mailbox.messages == []


async def test_signing_in_by_password_alone_is_what_comes_after_it(world: World, pool: Database) -> None:
    await started(world)
    await tell(world, pool)
    await let_pass(world, 3)
    await carry_on(pool)
    answer = await world.client().do(SIGN_IN, email=email("mia"), password=PASSWORD)
    assert answer["__typename"] == "SignedIn"
