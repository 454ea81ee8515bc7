"""Inviting staff: who may, what the roster shows, and that nothing of a role holds before the person has come."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.client import Client
from tests.coming_in.operations import ENROLLED_COUNT, INVITE, MEMBERS, REVOKE, TRY_REMINDING
from tests.operations import MEMBERSHIPS
from tests.people import World, email, require_mfa


async def invite(world: World, client: Client, who: str, role: str = "MEMBER") -> dict[str, Any]:
    return await client.do(INVITE, account=str(world.account_id), email=who, role=role)


async def roster(world: World, client: Client, **wanted: Any) -> dict[str, Any]:
    data = await client.ask(MEMBERS, account=str(world.account_id), filter=wanted)
    staff: dict[str, Any] = data["account"]["staff"]
    return staff


async def test_an_invited_person_is_on_the_roster_and_an_event_is_written(world: World) -> None:
    olive = await world.sign_in("olive")
    invited = await invite(world, olive, " New@Agency.Example ", "ADMIN")
    member = invited["staffMember"]
    assert (invited["__typename"], member["email"], member["role"]) == ("StaffInvited", "new@agency.example", "ADMIN")
    assert (member["state"], member["mfaState"], member["canResetMfa"]) == ("INVITED", "NOT_ENABLED", False)
    assert member["invitation"]["expiresAt"] > member["invitation"]["invitedAt"]
    shown = await roster(world, olive, state="INVITED")
    assert [(one["email"], one["invitation"]) for one in shown["nodes"]] == [
        ("new@agency.example", {"id": member["invitation"]["id"]})
    ]
    assert shown["totalCount"] == 1
    assert (await roster(world, olive, state="ACTIVE"))["totalCount"] == 3
    (event,) = await world.events("STAFF_INVITED")
    assert (event["account_id"], event["actor_id"]) == (world.account_id, await world.user_id("olive"))
    assert event["data"]["role"] == "ADMIN"


async def test_taking_an_invitation_back_lets_nobody_fill_a_mailbox_with_more(world: World) -> None:
    olive, account = await world.sign_in("olive"), str(world.account_id)
    for _ in range(10):
        invited = await invite(world, olive, "new@agency.example")
        await olive.do(REVOKE, account=account, id=invited["staffMember"]["invitation"]["id"])
    refused = await invite(world, olive, "new@agency.example")
    assert (refused["__typename"], len(await world.events("STAFF_INVITED"))) == ("TooManyAttempts", 10)
    assert (await invite(world, olive, "other@agency.example"))["__typename"] == "StaffInvited"


@pytest.mark.parametrize("name", ["mia", "petra", "sam"])
async def test_who_does_not_manage_the_account_cannot_invite(world: World, name: str) -> None:
    client = await world.sign_in(name)
    variables = {"account": str(world.account_id), "email": "new@agency.example", "role": "MEMBER"}
    assert await client.refusal(INVITE, **variables) == "NOT_FOUND"
    assert await world.client().refusal(INVITE, **variables) == "UNAUTHENTICATED"
    assert await world.events("STAFF_INVITED") == []
    assert await world.database.fetchval("SELECT count(*) FROM users WHERE email LIKE 'new@%'") == 0


async def test_a_super_admin_changes_nothing(world: World) -> None:
    sue = await world.enrolled("sue")
    assert (await invite(world, sue, "new@agency.example"))["__typename"] == "NotPermitted"


async def test_an_admin_neither_invites_an_owner_nor_touches_the_invitation_of_one(world: World) -> None:
    olive, adam = await world.sign_in("olive"), await world.sign_in("adam")
    assert (await invite(world, adam, "boss@agency.example", "OWNER"))["__typename"] == "NotPermitted"
    invited = await invite(world, olive, "boss@agency.example", "OWNER")
    await world.database.execute(
        "UPDATE staff SET invited_at = invited_at - interval '1 minute' WHERE email LIKE 'bo%'"
    )
    assert (await invite(world, adam, "boss@agency.example", "MEMBER"))["__typename"] == "NotPermitted"
    invitation = invited["staffMember"]["invitation"]["id"]
    revoked = await adam.do(REVOKE, account=str(world.account_id), id=invitation)
    assert revoked["__typename"] == "NotPermitted"
    assert (await roster(world, olive, role="OWNER"))["totalCount"] == 2


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("a@b", "whole domain"),
        ("ｍｉａ@agency.example", "full-width"),
        ("mіa@agency.example", "mixes alphabets"),
        ("", "@"),
    ],
)
async def test_what_is_no_address_is_refused_with_the_reason(world: World, typed: str, says: str) -> None:
    refused = await invite(world, await world.sign_in("olive"), typed)
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", "email")
    assert says in refused["message"]
    assert await world.events("STAFF_INVITED") == []


async def test_inviting_again_waits_a_minute_and_changes_the_role(world: World) -> None:
    olive = await world.sign_in("olive")
    first = await invite(world, olive, "new@agency.example")
    again = await invite(world, olive, "new@agency.example", "ADMIN")
    assert again["__typename"] == "TooManyAttempts"
    assert again["retryAt"] > first["staffMember"]["invitation"]["invitedAt"]
    await world.database.execute(
        "UPDATE staff SET invited_at = invited_at - interval '1 minute' WHERE email LIKE 'new%'"
    )
    again = await invite(world, olive, "new@agency.example", "ADMIN")
    assert (again["__typename"], again["staffMember"]["role"]) == ("StaffInvited", "ADMIN")
    assert len(await world.events("STAFF_INVITED")) == 2


async def test_fifty_who_invite_one_person_at_once_send_one_email(world: World) -> None:
    olive, adam = await world.sign_in("olive"), await world.sign_in("adam")
    answers = await asyncio.gather(*(invite(world, (olive, adam)[n % 2], "new@agency.example") for n in range(50)))
    kinds = sorted(answer["__typename"] for answer in answers)
    assert kinds == ["StaffInvited"] + ["TooManyAttempts"] * 49
    assert len(await world.events("STAFF_INVITED")) == 1


async def test_whoever_is_staff_already_is_not_invited(world: World) -> None:
    refused = await invite(world, await world.sign_in("olive"), email("mia"), "ADMIN")
    assert (refused["__typename"], refused["message"]) == (
        "InvalidInput",
        "mia@agency.example is staff of this account already.",
    )
    assert await world.database.fetchval("SELECT role FROM staff WHERE email = $1", email("mia")) == "MEMBER"


async def test_inviting_somebody_known_elsewhere_gives_them_no_role_and_tells_nothing_of_them(world: World) -> None:
    await world.enroll(await world.sign_in("sam"))
    olive = await world.sign_in("olive")
    invited = (await invite(world, olive, email("sam"), "ADMIN"))["staffMember"]
    assert (invited["mfaState"], invited["mfaEnabled"], invited["state"]) == ("NOT_ENABLED", False, "INVITED")
    (shown,) = (await roster(world, olive, state="INVITED"))["nodes"]
    assert (shown["mfaState"], shown["mfaEnabled"]) == ("NOT_ENABLED", False)
    assert (await roster(world, olive, mfaEnabled=True))["totalCount"] == 0
    progress = await olive.ask(ENROLLED_COUNT, a=str(world.account_id))
    assert progress["account"]["enrollmentProgress"]["enrolledCount"] == 0
    await world.forget_spent_steps("sam")
    assert (
        await world.database.fetchval(
            "SELECT count(*) FROM account_events JOIN events ON events.id = event_id "
            "WHERE account_events.account_id = $1 AND type = 'MFA_ENABLED'",
            world.account_id,
        )
        == 0
    )


async def test_an_invited_admin_manages_nothing_before_coming(world: World) -> None:
    sam = await world.sign_in("sam")
    await invite(world, await world.sign_in("olive"), email("sam"), "ADMIN")
    assert await sam.refusal(MEMBERS, account=str(world.account_id)) == "NOT_FOUND"
    memberships = await sam.ask(MEMBERSHIPS)
    assert memberships["viewer"]["memberships"] == [{"account": {"name": "Other"}}]


async def test_the_invited_are_not_reminded_and_not_reset(world: World) -> None:
    olive = await world.sign_in("olive")
    await require_mfa(world.database, world.account_id, days_ago=1, grace_days=7)
    member = (await invite(world, olive, "new@agency.example"))["staffMember"]
    reminded = await olive.do(
        TRY_REMINDING,
        a=str(world.account_id),
        s=[member["id"]],
    )
    assert reminded == {"remindedCount": 0, "skippedCount": 1}


async def test_a_revoked_invitation_is_off_the_roster_with_its_event(world: World) -> None:
    olive = await world.sign_in("olive")
    invitation = (await invite(world, olive, "new@agency.example"))["staffMember"]["invitation"]["id"]
    revoked = await olive.do(REVOKE, account=str(world.account_id), id=invitation)
    assert revoked == {"__typename": "InvitationRevoked", "invitationId": invitation}
    assert (await roster(world, olive))["totalCount"] == 3
    assert len(await world.events("INVITATION_REVOKED")) == 1
    assert await olive.refusal(REVOKE, account=str(world.account_id), id=invitation) == "NOT_FOUND"


async def test_nobody_elses_invitation_and_no_member_is_revoked(world: World) -> None:
    olive, sam = await world.sign_in("olive"), await world.sign_in("sam")
    invitation = (await invite(world, olive, "new@agency.example"))["staffMember"]["invitation"]["id"]
    assert await sam.refusal(REVOKE, account=str(world.other_account_id), id=invitation) == "NOT_FOUND"
    assert await sam.refusal(REVOKE, account=str(world.account_id), id=invitation) == "NOT_FOUND"
    member = str(await world.staff_id("mia"))
    assert (await olive.do(REVOKE, account=str(world.account_id), id=member))["__typename"] == "InvalidInput"
    assert (await roster(world, olive))["totalCount"] == 4
