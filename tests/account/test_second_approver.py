"""A reset that needs a second owner or admin: it waits, both sides are told, and whatever ends it ends it once."""

from __future__ import annotations

import asyncio
import re
import secrets
from contextlib import suppress
from typing import Any

import pytest

import rules.resets
from db.pool import Database
from rules import tokens
from rules.failures import ServiceUnavailable
from rules.links import Purpose
from rules.resets import ResetApproval
from tests.account.acts import ask_account, reset
from tests.account.operations import APPROVE, CHOOSE_APPROVAL, DECLINE, STOP, SUMMARIES, TRY_APPROVAL, WAITING
from tests.client import Client
from tests.line import Line
from tests.operations import ISSUE_PASS, RESET, UPDATE_SCOPE
from tests.parts import body_of
from tests.people import World, email, facts_of
from tests.reminders.cast import planned, pool
from tests.service.operations import backend
from tests.waiting import until
from tests.watching.watch import until_followed, watching
from workers.resets import expire_resets

__all__ = ["pool"]

REASON = "Phone lost on the train"
AT_ONCE = 50


async def choose(client: Client, world: World, approval: str | None) -> dict[str, Any]:
    return await client.do(CHOOSE_APPROVAL, account=str(world.account_id), approval=approval)


async def asked(world: World) -> tuple[Client, Client, str]:
    """Olive, Adam, and the id of the reset that Olive has asked for: of Mia, who has MFA on."""
    olive, adam, _, reset_id = await asked_with_mia(world)
    return olive, adam, reset_id


async def asked_with_mia(world: World) -> tuple[Client, Client, Client, str]:
    """The same, with Mia, who is signed in."""
    olive, adam, mia = [await world.enrolled(name) for name in ("olive", "adam", "mia")]
    await choose(olive, world, "EVERYONE")
    answer = await reset(olive, world, "mia", REASON)
    assert answer["__typename"] == "MfaResetPending", answer
    return olive, adam, mia, answer["resetId"]


async def tell(world: World, pool: Database) -> None:
    """Let all mails have left."""
    await planned(world, pool)
    await world.database.execute("UPDATE deliveries SET state = 'sent', sent_at = now(), claim_id = NULL")


async def decide(client: Client, world: World, operation: str, reset_id: str) -> dict[str, Any]:
    return await client.do(operation, account=str(world.account_id), reset=reset_id)


async def link(world: World, name: str, minutes: int = 30) -> str:
    """The token of the link that stops it, as this person's mail holds it."""
    token = tokens.make(tokens.LINK_PREFIX, secrets.token_bytes(tokens.TOKEN_BYTES))
    await world.database.execute(
        "INSERT INTO links (token_hash, purpose, user_id, event_id, made_at, expires_at) "
        "SELECT $1, $2, $3, max(id), now(), now() + $4 * interval '1 minute' FROM events "
        "WHERE type = 'MFA_RESET_REQUESTED'",
        tokens.digest(tokens.LINK_PREFIX, token),
        Purpose.STOP_RESET,
        await world.user_id(name),
        minutes,
    )
    return token


async def has_factor(world: World, name: str = "mia") -> bool:
    found = "SELECT count(*) FROM factors WHERE user_id = $1"
    return bool(await world.database.fetchval(found, await world.user_id(name)))


async def test_the_reason_of_a_reset_is_kept(world: World) -> None:
    olive, _ = await world.enrolled("olive"), await world.enrolled("mia")
    refused = await reset(olive, world, "mia", " ")
    assert (refused["__typename"], await world.events("MFA_RESET")) == ("InvalidInput", [])
    assert (await reset(olive, world, "mia", f" {REASON}. "))["__typename"] == "StaffMfaReset"
    (event,) = await world.events("MFA_RESET")
    assert facts_of(event) == {"reason": f"{REASON}."}
    shown = (await ask_account(olive, world, SUMMARIES))["nodes"][0]["summary"]
    assert shown == f"{email('olive')} reset the MFA of {email('mia')}: {REASON}."


async def test_it_waits_for_another_one_and_nothing_is_taken_before(world: World, pool: Database) -> None:
    olive, adam, reset_id = await asked(world)
    assert await has_factor(world)
    (event,) = await world.events("MFA_RESET_REQUESTED")
    assert (event["actor_id"], event["subject_id"], event["data"]["reason"]) == (
        await world.user_id("olive"),
        await world.user_id("mia"),
        REASON,
    )
    (shown,) = await ask_account(adam, world, WAITING)
    assert shown == {
        "id": reset_id,
        "staffMember": {"email": email("mia")},
        "requestedBy": email("olive"),
        "reason": REASON,
        "canApprove": True,
        "canDecline": True,
    }
    (hers,) = await ask_account(olive, world, WAITING)
    assert (hers["canApprove"], hers["canDecline"]) == (False, False)
    await tell(world, pool)
    approved = await decide(adam, world, APPROVE, reset_id)
    assert approved["staffMember"] == {"email": email("mia"), "mfaState": "BLOCKED"}
    (event,) = await world.events("MFA_RESET")
    assert event["actor_id"] == await world.user_id("adam")
    assert facts_of(event) == {"reason": REASON, "requesterEmail": email("olive")}
    assert (await ask_account(adam, world, WAITING)) == []
    assert (await decide(adam, world, APPROVE, reset_id))["__typename"] == "MfaResetEnded"


async def test_asking_twice_is_asking_once(world: World) -> None:
    olive, adam, reset_id = await asked(world)
    for client in (olive, adam):
        assert (await reset(client, world, "mia"))["resetId"] == reset_id
    assert len(await world.events("MFA_RESET_REQUESTED")) == 1


@pytest.mark.parametrize("operation", [APPROVE, DECLINE])
async def test_neither_whoever_asked_nor_the_person_nor_a_member_decides(
    world: World, pool: Database, operation: str
) -> None:
    olive, _, mia, reset_id = await asked_with_mia(world)
    await tell(world, pool)
    assert (await decide(olive, world, operation, reset_id))["__typename"] == "NotPermitted"
    assert await mia.refusal(operation, account=str(world.account_id), reset=reset_id) == "NOT_FOUND"
    await world.database.execute("UPDATE staff SET role = 'ADMIN' WHERE email = $1", email("mia"))
    assert (await decide(mia, world, operation, reset_id))["__typename"] == "NotPermitted"
    sam = await world.enrolled("sam")
    assert await sam.refusal(operation, account=str(world.account_id), reset=reset_id) == "NOT_FOUND"
    other = await sam.do(operation, account=str(world.other_account_id), reset=reset_id)
    assert other["__typename"] == "MfaResetEnded"
    assert await has_factor(world)


async def test_it_is_not_approved_before_its_mails_have_left(world: World, pool: Database) -> None:
    _, adam, reset_id = await asked(world)
    assert (await decide(adam, world, APPROVE, reset_id))["__typename"] == "NotPermitted"
    assert {"mia", "olive"} <= set(await planned(world, pool))
    assert (await decide(adam, world, APPROVE, reset_id))["__typename"] == "NotPermitted"
    assert await has_factor(world)
    await tell(world, pool)
    assert (await decide(adam, world, APPROVE, reset_id))["__typename"] == "StaffMfaReset"


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


async def test_an_owner_whose_reset_it_was_gets_one_mail_of_it(world: World, pool: Database) -> None:
    olive, _, _ = [await world.enrolled(name) for name in ("olive", "adam", "mia")]
    await world.database.execute("UPDATE staff SET role = 'OWNER'")
    await choose(olive, world, "EVERYONE")
    assert (await reset(olive, world, "mia", REASON))["__typename"] == "MfaResetPending"
    await planned(world, pool)
    rows = await world.database.fetch("SELECT email, message FROM deliveries WHERE message LIKE 'mfa_reset_requested%'")
    assert sorted(map(tuple, rows)) == [
        (email("adam"), "mfa_reset_requested_owners"),
        (email("mia"), "mfa_reset_requested"),
        (email("olive"), "mfa_reset_requested_owners"),
    ]


async def test_it_ends_with_the_membership_and_with_the_right_of_whoever_asked(world: World, pool: Database) -> None:
    _, adam, reset_id = await asked(world)
    await tell(world, pool)
    await world.database.execute("UPDATE staff SET role = 'MEMBER' WHERE email = $1", email("olive"))
    assert (await decide(adam, world, APPROVE, reset_id))["__typename"] == "MfaResetEnded"
    assert await has_factor(world)
    await world.database.execute("DELETE FROM staff WHERE email = $1", email("mia"))
    assert await ask_account(adam, world, WAITING) == []


async def test_an_admin_approves_no_owners_reset(world: World, pool: Database) -> None:
    _, adam, reset_id = await asked(world)
    await tell(world, pool)
    await world.database.execute("UPDATE staff SET role = 'OWNER' WHERE email = $1", email("mia"))
    answer = await decide(adam, world, APPROVE, reset_id)
    assert (answer["__typename"], "Only an owner" in answer["message"]) == ("NotPermitted", True)


async def test_owners_alone_choose_it_and_for_owners_and_admins_members_are_reset_at_once(world: World) -> None:
    olive, adam = await world.enrolled("olive"), await world.enrolled("adam")
    await world.enrolled("mia")
    assert (await choose(adam, world, "EVERYONE"))["__typename"] == "NotPermitted"
    shown = [(await choose(olive, world, each))["securityPolicy"] for each in ("OWNERS_AND_ADMINS", None)]
    assert shown == [{"resetApproval": "OWNERS_AND_ADMINS"}] * 2
    (event,) = await world.events("RESET_APPROVAL_CHANGED")
    assert facts_of(event) == {"approval": "OWNERS_AND_ADMINS"}
    assert (await choose(adam, world, "NOBODY"))["__typename"] == "NotPermitted"
    assert (await reset(olive, world, "adam"))["__typename"] == "MfaResetPending"
    assert (await reset(adam, world, "mia"))["__typename"] == "StaffMfaReset"


async def test_another_account_of_the_person_that_asks_for_it_is_not_gone_round(world: World) -> None:
    olive, _ = await world.enrolled("olive"), await world.enrolled("mia")
    for name, role in (("olive", "ADMIN"), ("mia", "MEMBER")):
        await world.database.execute(
            "INSERT INTO staff (account_id, user_id, email, role) VALUES ($1, $2, $3, $4)",
            world.other_account_id,
            await world.user_id(name),
            email(name),
            role,
        )
    await world.database.execute(
        "UPDATE accounts SET reset_approval = 'EVERYONE' WHERE id = $1", world.other_account_id
    )
    assert (await reset(olive, world, "mia"))["__typename"] == "MfaResetPending"


async def test_a_recovery_pass_does_not_go_round_it(world: World) -> None:
    olive, _, _ = await asked(world)
    staff = str(await world.staff_id("mia"))
    answer = await olive.do(ISSUE_PASS, account=str(world.account_id), staff=staff, reason=REASON)
    assert (answer["__typename"], await world.events("RECOVERY_PASS_ISSUED")) == ("NotPermitted", [])


async def test_no_service_key_goes_round_it(world: World, pool: Database) -> None:
    """Whatever its rights, it resets nobody, decides of nothing, and chooses no approval away."""
    _, adam, reset_id = await asked(world)
    await tell(world, pool)
    web = await backend(world)
    staff = {"account": str(world.account_id), "staff": str(await world.staff_id("mia"))}
    assert await web.refusal(RESET, **staff, reason=REASON) == "FORBIDDEN"
    assert await web.refusal(ISSUE_PASS, **staff, reason=REASON) == "FORBIDDEN"
    for operation in (APPROVE, DECLINE):
        assert await web.refusal(operation, account=str(world.account_id), reset=reset_id) == "FORBIDDEN"
    assert await web.refusal(STOP, token=await link(world, "mia")) == "FORBIDDEN"
    for approval in ("NOBODY", "OWNERS_AND_ADMINS"):
        assert (await choose(web, world, approval))["__typename"] == "NotPermitted"
    # With what it may save, too: nothing of it is saved.
    both = {"accountId": str(world.account_id), "requireMfa": True, "resetApproval": "NOBODY"}
    assert (await web.do(UPDATE_SCOPE, input=both))["__typename"] == "NotPermitted"
    held = await world.database.fetchrow(
        "SELECT reset_approval, required_since FROM accounts WHERE id = $1", world.account_id
    )
    assert held is not None
    assert tuple(held) == ("EVERYONE", None)
    assert await has_factor(world)
    assert [each["id"] for each in await ask_account(adam, world, WAITING)] == [reset_id]
    assert (await choose(web, world, "EVERYONE"))["__typename"] == "SecurityPolicyUpdated"  # which is no change


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


@pytest.mark.parametrize(
    ("approval", "owners", "admins", "members", "stuck"),
    [
        ("NOBODY", 1, 0, 9, 0),
        ("EVERYONE", 1, 0, 9, 10),
        ("EVERYONE", 1, 1, 9, 2),
        ("EVERYONE", 1, 2, 9, 1),
        ("EVERYONE", 3, 0, 9, 0),
        ("OWNERS_AND_ADMINS", 1, 0, 9, 1),
        ("OWNERS_AND_ADMINS", 2, 1, 9, 2),
        ("OWNERS_AND_ADMINS", 3, 5, 9, 0),
    ],
)
def test_whose_reset_nobody_could_approve_is_counted(
    approval: str, owners: int, admins: int, members: int, stuck: int
) -> None:
    assert rules.resets.never_approved(ResetApproval(approval), owners, admins, members) == stuck


async def test_trying_it_out_tells_whose_reset_nobody_could_approve(world: World) -> None:
    olive = await world.enrolled("olive")

    async def told(approval: str | None) -> int:
        found = await ask_account(olive, world, TRY_APPROVAL, approval=approval)
        return int(found["resetNeverApprovedCount"])

    assert [await told(each) for each in ("NOBODY", "OWNERS_AND_ADMINS", "EVERYONE", None)] == [0, 2, 2, 0]
    await choose(olive, world, "EVERYONE")
    assert await told(None) == 2


async def test_the_roster_and_the_progress_tell_of_a_reset_that_waits(world: World) -> None:
    olive, adam, reset_id = await asked(world)
    shown = "query ($account: ID!) { account(id: $account) { staff { nodes { email mfaResetWaiting } } } }"
    waiting = {each["email"]: each["mfaResetWaiting"] for each in (await ask_account(olive, world, shown))["nodes"]}
    assert waiting == {email("adam"): False, email("mia"): True, email("olive"): False}
    progress = "query ($account: ID!) { account(id: $account) { enrollmentProgress { resetsWaitingCount } } }"
    assert await ask_account(olive, world, progress) == {"resetsWaitingCount": 1}
    changes = "subscription ($account: ID!) { staffMemberChanged(accountId: $account) { email mfaResetWaiting } }"
    async with watching(world, olive, changes) as watch:
        await until_followed(world)
        await decide(adam, world, DECLINE, reset_id)
        assert await watch.next() == {"email": email("mia"), "mfaResetWaiting": False}
    assert await ask_account(olive, world, progress) == {"resetsWaitingCount": 0}
