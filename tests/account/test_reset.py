"""Resetting whoever is locked out: everything goes, the person is told, and must enroll anew."""

from __future__ import annotations

import asyncio

import pytest

from tests.account.acts import reset
from tests.operations import BEGIN, COMPLETE, DISABLE, NOTICE, RESET, VERIFY
from tests.people import Factor, World, email

VIEWER = "{ viewer { email } }"


@pytest.mark.parametrize("name", ["olive", "adam"])
async def test_owners_and_admins_reset_whoever_is_locked_out(world: World, name: str) -> None:
    admin, mia = await world.sign_in(name), await world.sign_in("mia")
    await world.enroll(mia)
    answer = await reset(admin, world, "mia")
    assert answer["staffMember"] == {
        "email": email("mia"),
        "mfaEnabled": False,
        "mfaState": "BLOCKED",
        "canResetMfa": False,
    }
    (event,) = await world.events("MFA_RESET")
    assert (event["subject_id"], event["actor_id"], event["account_id"]) == (
        await world.user_id("mia"),
        await world.user_id(name),
        world.account_id,
    )


async def test_the_persons_sessions_are_refused_from_the_next_request_on(world: World) -> None:
    olive, mia = await world.sign_in("olive"), await world.sign_in("mia")
    await world.enroll(mia)
    assert (await mia.ask(VIEWER))["viewer"] is not None
    await reset(olive, world, "mia")
    assert await mia.ask(VIEWER) == {"viewer": None}
    assert await mia.refusal(BEGIN) == "UNAUTHENTICATED"


async def test_from_the_next_sign_in_on_nothing_but_enrolling_works(world: World) -> None:
    olive, mia = await world.sign_in("olive"), await world.sign_in("mia")
    await world.enroll(mia)
    await reset(olive, world, "mia")
    mia = await world.sign_in("mia")
    viewer = (await mia.ask(NOTICE))["viewer"]
    assert viewer["mfa"] == {"enabled": False, "reenrollmentRequired": True}
    notice = viewer["mfaNotice"]
    assert (notice["reason"], notice["account"], notice["blocking"], notice["daysRemaining"]) == (
        "ADMIN_RESET",
        None,
        True,
        0,
    )
    account = "query ($account: ID!) { account(id: $account) { name } }"
    assert await mia.refusal(account, account=str(world.account_id)) == "MFA_ENROLLMENT_REQUIRED"
    await world.enroll(mia)
    assert (await mia.ask(account, account=str(world.account_id)))["account"]["name"] == "Agency"
    assert (await mia.ask(NOTICE))["viewer"] == {
        "mfa": {"enabled": True, "reenrollmentRequired": False},
        "mfaNotice": None,
    }


async def test_an_open_challenge_dies_with_it(world: World) -> None:
    olive = await world.sign_in("olive")
    factor = await world.enroll(await world.sign_in("mia"))
    mia, token = await world.challenge("mia")
    await reset(olive, world, "mia")
    answer = await mia.do(COMPLETE, token=token, code={"totp": await factor.code()})
    assert answer["__typename"] == "ChallengeExpired"
    answer = await mia.do(COMPLETE, token=token, code={"backupCode": factor.backup_codes[0]})
    assert answer["__typename"] == "ChallengeExpired"


async def test_a_lock_on_code_entry_is_lifted_by_it(world: World) -> None:
    olive, mia = await world.sign_in("olive"), await world.sign_in("mia")
    await world.enroll(mia)
    for _ in range(11):
        await mia.do(DISABLE, code="000000")
    await reset(olive, world, "mia")
    await world.enroll(await world.sign_in("mia"))


async def test_there_is_nothing_to_reset_without_mfa(world: World) -> None:
    olive, mia = await world.sign_in("olive"), await world.sign_in("mia")
    assert (await reset(olive, world, "mia"))["__typename"] == "StaffMfaNotEnabled"
    assert (await mia.ask(VIEWER))["viewer"] is not None
    assert await world.events("MFA_RESET") == []


async def test_nobody_resets_themselves(world: World) -> None:
    olive = await world.sign_in("olive")
    await world.enroll(olive)
    assert (await reset(olive, world, "olive"))["__typename"] == "NotPermitted"
    assert await world.events("MFA_RESET") == []


async def test_nobody_resets_across_accounts(world: World) -> None:
    sam = await world.sign_in("sam")
    await world.enroll(await world.sign_in("mia"))
    staff = str(await world.staff_id("mia"))
    assert await sam.refusal(RESET, account=str(world.other_account_id), staff=staff) == "NOT_FOUND"
    assert await sam.refusal(RESET, account=str(world.account_id), staff=staff) == "NOT_FOUND"
    assert await world.events("MFA_RESET") == []


async def test_two_admins_who_reset_each_other_end_in_one_of_the_two_orders(world: World) -> None:
    staff = {name: str(await world.staff_id(name)) for name in ("olive", "adam")}
    for _ in range(5):
        olive, adam = await world.sign_in("olive"), await world.sign_in("adam")
        await world.enroll(olive)
        await world.enroll(adam)
        bodies = await asyncio.gather(
            olive.raw(RESET, account=str(world.account_id), staff=staff["adam"]),
            adam.raw(RESET, account=str(world.account_id), staff=staff["olive"]),
        )
        outcomes = sorted(
            b["errors"][0]["extensions"]["code"] if b.get("errors") else b["data"]["resetStaffMfa"]["__typename"]
            for b in bodies
        )
        assert outcomes == ["StaffMfaReset", "UNAUTHENTICATED"]
        await world.database.execute("DELETE FROM factors")
        await world.database.execute("UPDATE users SET reenrollment_required_at = NULL")


async def test_a_race_with_the_persons_own_enabling_ends_in_one_of_the_two_orders(world: World) -> None:
    olive = await world.sign_in("olive")
    for _ in range(8):
        mia = await world.sign_in("mia")
        begun = await mia.do(BEGIN)
        factor = Factor(begun["manualEntryKey"].replace(" ", ""), [])
        code = await factor.code()
        body, answer = await asyncio.gather(mia.raw(VERIFY, code=code), reset(olive, world, "mia"))
        state = await world.database.fetchrow(
            "SELECT factors.user_id IS NOT NULL AS on, reenrollment_required_at IS NOT NULL AS reset, "
            "(SELECT count(*) FROM sessions WHERE sessions.user_id = users.id) AS sessions "
            "FROM users LEFT JOIN factors ON factors.user_id = id WHERE id = $1",
            await world.user_id("mia"),
        )
        assert state is not None
        assert body["data"]["verifyAndEnableMfa"]["__typename"] == "MfaEnabled"
        if answer["__typename"] == "StaffMfaReset":
            assert (state["on"], state["reset"], state["sessions"]) == (False, True, 0)
        else:
            assert (state["on"], state["reset"], state["sessions"]) == (True, False, 1)
        await world.database.execute("DELETE FROM factors")
        await world.database.execute("UPDATE users SET reenrollment_required_at = NULL")


async def test_a_race_with_a_backup_code_leaves_no_session_behind_a_reset(world: World) -> None:
    olive = await world.sign_in("olive")
    for _ in range(8):
        factor = await world.enroll(await world.sign_in("mia"))
        mia, token = await world.challenge("mia")
        used, answer = await asyncio.gather(
            mia.do(COMPLETE, token=token, code={"backupCode": factor.backup_codes[0]}), reset(olive, world, "mia")
        )
        assert answer["__typename"] == "StaffMfaReset"
        assert used["__typename"] in {"SignedIn", "ChallengeExpired"}
        sessions = "SELECT count(*) FROM sessions WHERE user_id = $1"
        assert await world.database.fetchval(sessions, await world.user_id("mia")) == 0
        assert await world.database.fetchval("SELECT count(*) FROM backup_codes") == 0
        await world.database.execute("UPDATE users SET reenrollment_required_at = NULL")
        await world.database.execute("DELETE FROM throttles")
