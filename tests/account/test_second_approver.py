"""A reset that needs a second owner or admin: it waits, nobody goes round it, and the other one decides."""

from __future__ import annotations

import pytest

import rules.resets
from db.pool import Database
from rules.resets import ResetApproval
from tests.account.acts import ask_account, reset
from tests.account.approving import (
    REASON,
    asked,
    asked_of_another,
    asked_with_mia,
    choose,
    decide,
    has_factor,
    link,
    tell,
)
from tests.account.operations import (
    APPROVE,
    DECLINE,
    RESET_WAITING,
    RESETS_WAITING,
    STOP,
    SUMMARIES,
    TRY_APPROVAL,
    WAITING,
    WATCH_RESET_WAITING,
)
from tests.operations import ISSUE_PASS, RESET, UPDATE_SCOPE
from tests.people import World, email, facts_of
from tests.reminders.cast import planned, pool
from tests.service.operations import backend
from tests.watching.watch import until_followed, watching

__all__ = ["pool"]


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


async def test_who_asks_as_the_one_that_waited_ends_has_asked_themselves(world: World) -> None:
    _, adam, reset_id = await asked(world)
    # What a link or the sweep may do between the two statements of whoever asks.
    await world.database.execute(
        "CREATE FUNCTION end_older() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN DELETE FROM reset_requests WHERE requested_at < now(); RETURN NULL; END $$; "
        "CREATE TRIGGER end_older AFTER INSERT ON reset_requests FOR EACH STATEMENT EXECUTE FUNCTION end_older()"
    )
    anew = await reset(adam, world, "mia")
    assert (anew["__typename"], anew["resetId"] != reset_id) == ("MfaResetPending", True)
    assert [event["actor_id"] for event in await world.events("MFA_RESET_REQUESTED")] == [
        await world.user_id("olive"),
        await world.user_id("adam"),
    ]


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


async def test_of_two_that_wait_the_one_that_is_named_is_approved(world: World, pool: Database) -> None:
    olive, adam, older = await asked(world)
    await tell(world, pool)
    newer = await asked_of_another(olive, world)
    assert (await decide(adam, world, APPROVE, newer))["__typename"] == "NotPermitted"  # no mail of its own has left
    await tell(world, pool)
    approved = await decide(adam, world, APPROVE, newer)
    assert approved["staffMember"]["email"] == "000000@crowd.example"
    assert await has_factor(world)
    assert [each["id"] for each in await ask_account(adam, world, WAITING)] == [older]


async def test_it_is_not_approved_before_its_mails_have_left(world: World, pool: Database) -> None:
    _, adam, reset_id = await asked(world)
    assert (await decide(adam, world, APPROVE, reset_id))["__typename"] == "NotPermitted"
    assert {"mia", "olive"} <= set(await planned(world, pool))
    assert (await decide(adam, world, APPROVE, reset_id))["__typename"] == "NotPermitted"
    await world.database.execute("UPDATE deliveries SET state = 'sent', sent_at = now() WHERE email = $1", email("mia"))
    assert (await decide(adam, world, APPROVE, reset_id))["__typename"] == "NotPermitted"
    await world.database.execute("UPDATE deliveries SET state = 'failed'")  # nobody has been told, or ever will be
    assert (await decide(adam, world, APPROVE, reset_id))["__typename"] == "NotPermitted"
    assert await has_factor(world)
    await tell(world, pool)
    assert (await decide(adam, world, APPROVE, reset_id))["__typename"] == "StaffMfaReset"


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
    waiting = {
        each["email"]: each["mfaResetWaiting"] for each in (await ask_account(olive, world, RESET_WAITING))["nodes"]
    }
    assert waiting == {email("adam"): False, email("mia"): True, email("olive"): False}
    assert await ask_account(olive, world, RESETS_WAITING) == {"resetsWaitingCount": 1}
    async with watching(world, olive, WATCH_RESET_WAITING) as watch:
        await until_followed(world)
        await decide(adam, world, DECLINE, reset_id)
        assert await watch.next() == {"email": email("mia"), "mfaResetWaiting": False}
    assert await ask_account(olive, world, RESETS_WAITING) == {"resetsWaitingCount": 0}
