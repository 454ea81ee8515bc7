"""What ends a reset that waits for a second owner or admin: the database lets one thing do so, and it is told once."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress

import pytest

from db.pool import Database
from rules.failures import ServiceUnavailable
from tests.account.acts import ask_account, reset
from tests.account.approving import REASON, asked, asked_of_another, choose, decide, has_factor, link, tell
from tests.account.operations import APPROVE, DECLINE, STOP, SUMMARIES, WAITING
from tests.line import Line
from tests.parts import body_of
from tests.people import World, email
from tests.reminders.cast import planned, pool
from tests.waiting import until
from workers.resets import expire_resets

__all__ = ["pool"]

AT_ONCE = 50


async def test_declining_changes_nothing_for_the_person(world: World) -> None:
    _, adam, reset_id = await asked(world)
    assert (await decide(adam, world, DECLINE, reset_id))["__typename"] == "MfaResetDeclined"
    assert await has_factor(world)
    assert len(await world.events("MFA_RESET_DECLINED")) == 1
    assert (await decide(adam, world, DECLINE, reset_id))["__typename"] == "MfaResetEnded"


@pytest.mark.parametrize("name", ["mia", "olive"])
async def test_the_link_of_the_email_stops_it_once(world: World, pool: Database, name: str) -> None:
    _, adam, reset_id = await asked(world)
    await tell(world, pool)
    token = await link(world, name)
    stopped = await world.client().do(STOP, token=token)
    assert stopped == {"__typename": "MfaResetStopped", "email": email("mia")}
    assert (await world.client().do(STOP, token=token))["__typename"] == "LinkExpired"
    assert (await decide(adam, world, APPROVE, reset_id))["__typename"] == "MfaResetEnded"
    (event,) = await world.events("MFA_RESET_STOPPED")
    assert event["actor_id"] == await world.user_id(name)
    assert await has_factor(world)


async def test_of_two_that_wait_a_link_stops_the_one_that_its_mail_was_about(world: World) -> None:
    olive, adam, _ = await asked(world)
    token = await link(world, "olive")
    other = await asked_of_another(olive, world)
    assert (await world.client().do(STOP, token=token))["email"] == email("mia")
    assert [each["id"] for each in await ask_account(adam, world, WAITING)] == [other]


async def test_after_a_day_it_is_over_and_told(world: World, pool: Database) -> None:
    _, adam, reset_id = await asked(world)
    await tell(world, pool)
    assert await expire_resets(pool) == 0
    await world.database.execute("UPDATE reset_requests SET expires_at = now()")
    assert (await decide(adam, world, APPROVE, reset_id))["__typename"] == "MfaResetEnded"
    assert (await expire_resets(pool), await expire_resets(pool)) == (1, 0)
    (event,) = await world.events("MFA_RESET_EXPIRED")
    assert event["subject_id"] == await world.user_id("mia")
    assert (await reset(adam, world, "mia"))["__typename"] == "MfaResetPending"


async def test_of_all_that_may_end_it_at_once_one_does(world: World, pool: Database) -> None:
    olive, adam, _ = await asked(world)
    await world.database.execute("DELETE FROM reset_requests")
    for _ in range(6):
        reset_id = (await reset(olive, world, "mia", REASON))["resetId"]
        await tell(world, pool)
        token, before = await link(world, "mia"), len(await world.events())
        await asyncio.gather(
            decide(adam, world, APPROVE, reset_id),
            decide(adam, world, DECLINE, reset_id),
            *(world.client().do(STOP, token=token) for _ in range(3)),
            expire_resets(pool),
        )
        ended = (await world.events())[before:]
        kinds = {"MFA_RESET", "MFA_RESET_DECLINED", "MFA_RESET_STOPPED"}
        (end,) = [event["type"] for event in ended if event["type"] in kinds]
        assert await has_factor(world) is (end != "MFA_RESET")
        if end == "MFA_RESET":
            await world.database.execute("UPDATE users SET reenrollment_required_at = NULL")
            await world.enrolled("mia")


async def sweep(pool: Database) -> None:
    """End what is over, unless too many others do so just now."""
    with suppress(ServiceUnavailable):
        await expire_resets(pool)


@pytest.mark.parametrize("end_ms", [0, 10, 40, 80, 160, 60_000])
async def test_at_its_very_end_it_is_approved_or_over_and_never_both(world: World, pool: Database, end_ms: int) -> None:
    _, adam, reset_id = await asked(world)
    await tell(world, pool)
    await world.database.execute(
        "UPDATE reset_requests SET expires_at = clock_timestamp() + $1 * interval '1 millisecond'", end_ms
    )
    sweeps = [sweep(pool) for _ in range(AT_ONCE // 2)]
    approvals = [decide(adam, world, APPROVE, reset_id) for _ in range(AT_ONCE // 2)]
    alternating = [each for pair in zip(sweeps, approvals, strict=True) for each in pair]
    answers = [answer for answer in await asyncio.gather(*alternating) if isinstance(answer, dict)]
    await expire_resets(pool)
    done = [answer["__typename"] for answer in answers].count("StaffMfaReset")
    ends = [event["type"] for event in await world.events("MFA_RESET", "MFA_RESET_EXPIRED")]
    assert ends == (["MFA_RESET"] if done else ["MFA_RESET_EXPIRED"])
    assert done == (await has_factor(world) is False)
    assert {0: done == 0, 60_000: done == 1}.get(end_ms, True)
    assert await world.database.fetchval("SELECT count(*) FROM reset_requests") == 0


@pytest.mark.parametrize("end", ["declined", "stopped", "expired"])
async def test_when_it_is_off_the_person_whoever_asked_and_the_owners_are_mailed_once(
    world: World, pool: Database, end: str
) -> None:
    olive, adam, _ = [await world.enrolled(name) for name in ("olive", "adam", "mia")]
    await choose(olive, world, "EVERYONE")
    reset_id = (await reset(adam, world, "mia", REASON))["resetId"]
    await tell(world, pool)
    if end == "declined":
        await decide(olive, world, DECLINE, reset_id)
    elif end == "stopped":
        await world.client().do(STOP, token=await link(world, "mia"))
    else:
        await world.database.execute("UPDATE reset_requests SET expires_at = now()")
        await expire_resets(pool)
    await planned(world, pool)
    rows = await world.database.fetch("SELECT email, message FROM deliveries WHERE message LIKE 'mfa_reset_ended%'")
    assert sorted(map(tuple, rows)) == [
        (email("adam"), "mfa_reset_ended_owners"),
        (email("mia"), "mfa_reset_ended"),
        (email("olive"), "mfa_reset_ended_owners"),
    ]
    shown = (await ask_account(olive, world, SUMMARIES))["nodes"][0]["summary"]
    assert f"reset of the MFA of {email('mia')} that {email('adam')} had asked for" in shown


async def test_a_requester_who_is_admin_no_more_is_not_told_how_it_ended(world: World, pool: Database) -> None:
    olive, adam, _ = [await world.enrolled(name) for name in ("olive", "adam", "mia")]
    await choose(olive, world, "EVERYONE")
    reset_id = (await reset(adam, world, "mia", REASON))["resetId"]
    await world.database.execute("UPDATE staff SET role = 'MEMBER' WHERE email = $1", email("adam"))
    await decide(olive, world, DECLINE, reset_id)
    await planned(world, pool)
    told = "SELECT email FROM deliveries WHERE message = 'mfa_reset_ended_owners'"
    assert [row["email"] for row in await world.database.fetch(told)] == [email("olive")]


async def test_it_ends_with_the_membership_and_with_the_right_of_whoever_asked(world: World, pool: Database) -> None:
    _, adam, reset_id = await asked(world)
    await tell(world, pool)
    await world.database.execute("UPDATE staff SET role = 'MEMBER' WHERE email = $1", email("olive"))
    assert (await decide(adam, world, APPROVE, reset_id))["__typename"] == "MfaResetEnded"
    assert await has_factor(world)
    await world.database.execute("DELETE FROM staff WHERE email = $1", email("mia"))
    assert await ask_account(adam, world, WAITING) == []


async def test_both_mails_hold_a_link_of_their_own(line: Line) -> None:
    world, database = line.world, line.database
    mia, olive = await world.user_id("mia"), await world.user_id("olive")
    async with database.transaction():
        await database.execute(
            "INSERT INTO reset_requests (account_id, user_id, requester_id, expires_at) "
            "VALUES ($1, $2, $3, now() + interval '24 hours')",
            world.account_id,
            mia,
            await world.user_id("adam"),
        )
        await database.execute(
            "INSERT INTO events (type, account_id, subject_id, actor_id, data) "
            "SELECT 'MFA_RESET_REQUESTED', account_id, user_id, requester_id, "
            "jsonb_build_object('subjectEmail', $1::text, 'until', expires_at) FROM reset_requests",
            email("mia"),
        )
    await line.start("relay", "worker")
    to = {email("mia"), email("olive")}
    await until(lambda: {message["to"] for message in line.mailbox.messages} == to, "both mails")
    bodies = [body_of(message) for message in line.mailbox.messages]
    found = [re.findall(r"Stop the reset:\s+http\S+/not-wanted#token=(gh_l_\S+)", body) for body in bodies]
    assert [len(tokens_) for tokens_ in found] == [1, 1]
    assert found[0] != found[1]
    rows = await database.fetch("SELECT user_id, purpose FROM links")
    assert {tuple(row) for row in rows} == {(mia, "STOP_RESET"), (olive, "STOP_RESET")}


async def test_no_mail_about_one_leaves_that_waits_no_more(line: Line) -> None:
    await line.database.execute(
        "INSERT INTO events (type, account_id, subject_id, actor_id, data) "
        "VALUES ('MFA_RESET_REQUESTED', $1, $2, $3, jsonb_build_object('subjectEmail', $4::text, 'until', now()))",
        line.world.account_id,
        await line.world.user_id("mia"),
        await line.world.user_id("adam"),
        email("mia"),
    )
    await line.start("relay", "worker")
    await line.until_all("dropped", 2)
    assert line.mailbox.messages == []
