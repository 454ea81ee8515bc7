"""Resetting whoever is locked out: everything goes, the person is told, and must enroll anew."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from tests.account.acts import reset
from tests.account.operations import LOG, RESETTABLE, RESETTABLE_BY_ID
from tests.client import Client
from tests.operations import ACCOUNT_NAME, BEGIN, COMPLETE, DISABLE, ISSUE_PASS, NOTICE, RESET, VERIFY, VIEWER_EMAIL
from tests.people import Factor, World, email


@pytest.mark.parametrize("name", ["olive", "adam"])
async def test_owners_and_admins_reset_whoever_is_locked_out(world: World, name: str) -> None:
    admin, mia = await world.enrolled(name), await world.sign_in("mia")
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
    olive, mia = await world.enrolled("olive"), await world.sign_in("mia")
    await world.enroll(mia)
    assert (await mia.ask(VIEWER_EMAIL))["viewer"] is not None
    await reset(olive, world, "mia")
    assert await mia.ask(VIEWER_EMAIL) == {"viewer": None}
    assert await mia.refusal(BEGIN) == "UNAUTHENTICATED"


async def test_from_the_next_sign_in_on_nothing_but_enrolling_works(world: World) -> None:
    olive, mia = await world.enrolled("olive"), await world.sign_in("mia")
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
    assert await mia.refusal(ACCOUNT_NAME, account=str(world.account_id)) == "MFA_ENROLLMENT_REQUIRED"
    await world.enroll(mia)
    assert (await mia.ask(ACCOUNT_NAME, account=str(world.account_id)))["account"]["name"] == "Agency"
    assert (await mia.ask(NOTICE))["viewer"] == {
        "mfa": {"enabled": True, "reenrollmentRequired": False},
        "mfaNotice": None,
    }


async def test_an_open_challenge_dies_with_it(world: World) -> None:
    olive = await world.enrolled("olive")
    factor = await world.enroll(await world.sign_in("mia"))
    mia, token = await world.challenge("mia")
    await reset(olive, world, "mia")
    answer = await mia.do(COMPLETE, token=token, code={"totp": await factor.code()})
    assert answer["__typename"] == "ChallengeExpired"
    answer = await mia.do(COMPLETE, token=token, code={"backupCode": factor.backup_codes[0]})
    assert answer["__typename"] == "ChallengeExpired"


async def test_a_lock_on_code_entry_is_lifted_by_it(world: World) -> None:
    olive, mia = await world.enrolled("olive"), await world.sign_in("mia")
    await world.enroll(mia)
    mias = await world.user_id("mia")
    factor = await world.database.fetchval("SELECT to_jsonb(factors) FROM factors WHERE user_id = $1", mias)
    answers = [(await mia.do(DISABLE, code="000000"))["__typename"] for _ in range(11)]
    assert answers == ["InvalidCode"] * 10 + ["TooManyAttempts"]
    assert (await reset(olive, world, "mia"))["__typename"] == "StaffMfaReset"
    # To enroll would lift it, too: her old app is put back, past all that, so that there is a code to be asked for.
    await world.database.execute("INSERT INTO factors SELECT * FROM jsonb_populate_record(NULL::factors, $1)", factor)
    mia, token = await world.challenge("mia")
    assert (await mia.do(COMPLETE, token=token, code={"totp": "000000"}))["__typename"] == "InvalidCode"


async def test_there_is_nothing_to_reset_without_mfa(world: World) -> None:
    olive, mia = await world.enrolled("olive"), await world.sign_in("mia")
    assert (await reset(olive, world, "mia"))["__typename"] == "StaffMfaNotEnabled"
    assert (await mia.ask(VIEWER_EMAIL))["viewer"] is not None
    assert await world.events("MFA_RESET") == []


async def test_nobody_resets_themselves(world: World) -> None:
    olive = await world.sign_in("olive")
    await world.enroll(olive)
    assert (await reset(olive, world, "olive"))["__typename"] == "NotPermitted"
    assert await world.events("MFA_RESET") == []


async def test_nobody_resets_across_accounts(world: World) -> None:
    sam = await world.enrolled("sam")
    await world.enroll(await world.sign_in("mia"))
    staff = str(await world.staff_id("mia"))
    assert await sam.refusal(RESET, account=str(world.other_account_id), staff=staff) == "NOT_FOUND"
    assert await sam.refusal(RESET, account=str(world.account_id), staff=staff) == "NOT_FOUND"
    assert await world.events("MFA_RESET") == []


async def test_two_owners_who_reset_each_other_end_in_one_of_the_two_orders(world: World) -> None:
    await world.database.execute("UPDATE staff SET role = 'OWNER' WHERE email = $1", email("adam"))
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
    olive = await world.enrolled("olive")
    for _ in range(8):
        mia = await world.sign_in("mia")
        begun = await mia.do(BEGIN)
        factor = Factor(begun["manualEntryKey"].replace(" ", ""), [])
        code = await factor.code()
        # Under a key the answer is made before the commit: later, its session could be gone already.
        body, answer = await asyncio.gather(mia.raw(VERIFY, code=code, key=str(uuid4())), reset(olive, world, "mia"))
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
        await world.database.execute("DELETE FROM factors WHERE user_id = $1", await world.user_id("mia"))
        await world.database.execute("UPDATE users SET reenrollment_required_at = NULL")


async def test_a_race_with_a_backup_code_leaves_no_session_behind_a_reset(world: World) -> None:
    olive = await world.enrolled("olive")
    for _ in range(8):
        factor = await world.enroll(await world.sign_in("mia"))
        mia, token = await world.challenge("mia")
        used, answer = await asyncio.gather(
            mia.do(COMPLETE, token=token, code={"backupCode": factor.backup_codes[0]}, key=str(uuid4())),
            reset(olive, world, "mia"),
        )
        assert answer["__typename"] == "StaffMfaReset"
        assert used["__typename"] in {"SignedIn", "ChallengeExpired"}
        sessions = "SELECT count(*) FROM sessions WHERE user_id = $1"
        assert await world.database.fetchval(sessions, await world.user_id("mia")) == 0
        codes = "SELECT count(*) FROM backup_codes WHERE user_id = $1"
        assert await world.database.fetchval(codes, await world.user_id("mia")) == 0
        await world.database.execute("UPDATE users SET reenrollment_required_at = NULL")
        await world.database.execute("DELETE FROM throttles")


async def make_staff(world: World, name: str, role: str) -> None:
    """Give somebody a role in the other account, too."""
    await world.database.execute(
        "INSERT INTO staff (account_id, user_id, email, role) VALUES ($1, $2, $3, $4)",
        world.other_account_id,
        await world.user_id(name),
        email(name),
        role,
    )


async def refused(client: Client, world: World, name: str) -> str:
    """The sentence of a reset that is not permitted and changed nothing; the roster says so beforehand."""
    shown = await client.ask(
        RESETTABLE,
        account=str(world.account_id),
    )
    assert {"email": email(name), "canResetMfa": False} in shown["account"]["staff"]["nodes"]
    answer = await reset(client, world, name)
    assert answer["__typename"] == "NotPermitted"
    assert await world.events("MFA_RESET") == []
    return str(answer["message"])


async def test_an_admin_resets_no_owner(world: World) -> None:
    await world.enrolled("olive")
    assert "Ask another owner" in await refused(await world.enrolled("adam"), world, "olive")


async def test_whoever_resets_has_mfa_on(world: World) -> None:
    await world.enrolled("mia")
    assert "Set up MFA" in await refused(await world.sign_in("olive"), world, "mia")


@pytest.mark.parametrize("role", ["OWNER", "MEMBER"])
async def test_nobody_resets_a_person_with_a_role_where_they_manage_nothing(world: World, role: str) -> None:
    await make_staff(world, "mia", role)
    await world.enrolled("mia")
    assert "Ask the operator" in await refused(await world.enrolled("olive"), world, "mia")


async def test_nobody_resets_by_the_weaker_of_two_accounts(world: World) -> None:
    """Olive owns the agency and is a mere admin of the other account, which Mia owns."""
    await make_staff(world, "olive", "ADMIN")
    await make_staff(world, "mia", "OWNER")
    await world.enrolled("mia")
    await refused(await world.enrolled("olive"), world, "mia")


async def test_who_manages_all_of_a_persons_accounts_resets_them_and_each_log_shows_it(world: World) -> None:
    await make_staff(world, "olive", "ADMIN")
    await make_staff(world, "mia", "MEMBER")
    olive, sam = await world.enrolled("olive"), await world.sign_in("sam")
    await world.enrolled("mia")
    assert (await reset(olive, world, "mia"))["__typename"] == "StaffMfaReset"
    shown = (await sam.ask(LOG, account=str(world.other_account_id)))["account"]["auditLog"]["nodes"]
    assert {"type": "MFA_RESET", "summary": f"{email('olive')} reset the MFA of {email('mia')}."} in shown
    assert "MFA_ENABLED" in {node["type"] for node in shown}
    assert not any("Agency" in node["summary"] for node in shown)
    here = (await olive.ask(LOG, account=str(world.account_id)))["account"]["auditLog"]["nodes"]
    assert [node["type"] for node in here].count("MFA_RESET") == 1


@pytest.mark.parametrize("mutation", [RESET, ISSUE_PASS])
async def test_no_account_takes_the_factor_of_an_operator_of_the_platform_who_has_a_role_in_it(
    world: World, mutation: str
) -> None:
    await make_staff(world, "sue", "MEMBER")
    await world.enrolled("sue")
    sam, account = await world.enrolled("sam"), str(world.other_account_id)
    roster = await sam.ask(RESETTABLE_BY_ID, account=account)
    (sue,) = (node for node in roster["account"]["staff"]["nodes"] if node["email"] == email("sue"))
    assert not sue["canResetMfa"]
    answer = await sam.do(mutation, account=account, staff=sue["id"], reason="Lost phone")
    assert (answer["__typename"], "Ask the operator of the platform" in answer["message"]) == ("NotPermitted", True)
    assert await world.events("MFA_RESET", "RECOVERY_PASS_ISSUED") == []


async def test_a_role_gained_elsewhere_meanwhile_is_looked_at_behind_the_lock(world: World) -> None:
    olive = await world.enrolled("olive")
    await world.enrolled("mia")
    staff = str(await world.staff_id("mia"))
    async with world.database.transaction():
        await world.database.execute("SELECT FROM users WHERE email = $1 FOR UPDATE", email("mia"))
        pending = asyncio.create_task(olive.do(RESET, account=str(world.account_id), staff=staff))
        while not await world.database.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)
        await make_staff(world, "mia", "OWNER")
    assert (await pending)["__typename"] == "NotPermitted"
