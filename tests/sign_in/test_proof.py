"""Step-up: what changes MFA or a policy wants a proof of the last 15 minutes, with the second factor where it is on.

And what a change of factors does to the sessions.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rules.people import MOST_SESSIONS
from rules.throttling import MOST_CHALLENGES
from tests.client import Client, serving, settings_for
from tests.operations import (
    BEGIN,
    COMPLETE,
    DISABLE,
    REGENERATE,
    RESET,
    SHOW_AGAIN,
    UPDATE,
    VERIFY,
    VIEWER_EMAIL,
    WITH_COOKIE,
)
from tests.people import PASSWORD, Factor, World, age_proofs, email

STEP_UP = "REAUTHENTICATION_REQUIRED"


async def reauthenticate(client: Client, **given: Any) -> dict[str, Any]:
    """Show again who one is."""
    return await client.do(SHOW_AGAIN, input=given)


async def cookie_client(world: World, name: str) -> Client:
    """A client on which `name`, who has no factor, is signed in by cookie."""
    client = world.client()
    assert (await client.do(WITH_COOKIE, email=email(name), password=PASSWORD))["sessionToken"] is None
    return client


async def test_a_password_is_proof_for_fifteen_minutes_of_whoever_has_no_second_factor(world: World) -> None:
    olive = await world.sign_in("olive")
    await age_proofs(world, "14 minutes 30 seconds")
    assert (await olive.do(UPDATE, account=str(world.account_id), require=True))[
        "__typename"
    ] == "SecurityPolicyUpdated"
    await age_proofs(world, "30 seconds")
    assert await olive.refusal(UPDATE, account=str(world.account_id), require=False) == STEP_UP
    assert await olive.refusal(BEGIN) == STEP_UP
    assert (await reauthenticate(olive, password=PASSWORD))["__typename"] == "Reauthenticated"
    assert (await olive.do(BEGIN))["__typename"] == "MfaEnrollment"


@pytest.mark.parametrize("kind", ["totp", "backupCode"])
async def test_with_mfa_on_the_proof_is_the_second_factor(world: World, kind: str) -> None:
    olive = await world.sign_in("olive")
    factor = await world.enroll(olive)
    await world.enrolled("mia")
    staff = str(await world.staff_id("mia"))
    await age_proofs(world)
    shown = await reauthenticate(olive, password=PASSWORD)
    assert shown["__typename"] == "Reauthenticated"
    assert shown["freshUntil"] < (await world.database.fetchval("SELECT now() + interval '1 second'")).isoformat()
    assert await olive.refusal(UPDATE, account=str(world.account_id), require=True) == STEP_UP
    assert await olive.refusal(RESET, account=str(world.account_id), staff=staff) == STEP_UP

    code = {"totp": await factor.code(), "backupCode": factor.backup_codes[0]}[kind]
    assert (await reauthenticate(olive, code={kind: code}))["__typename"] == "Reauthenticated"
    assert (await olive.do(UPDATE, account=str(world.account_id), require=True))[
        "__typename"
    ] == "SecurityPolicyUpdated"
    assert (await olive.do(RESET, account=str(world.account_id), staff=staff))["__typename"] == "StaffMfaReset"
    assert [event["subject_id"] for event in await world.events("REAUTHENTICATED")] == [
        await world.user_id("olive")
    ] * 2


async def test_enrolling_and_signing_in_with_a_code_are_proofs(world: World) -> None:
    olive = await world.sign_in("olive")
    factor = await world.enroll(olive)
    assert (await olive.do(UPDATE, account=str(world.account_id), require=True))[
        "__typename"
    ] == "SecurityPolicyUpdated"
    await age_proofs(world)
    again, token = await world.challenge("olive")
    again.token = (await again.do(COMPLETE, token=token, code={"totp": await factor.code()}))["sessionToken"]
    answer = await again.do(UPDATE, account=str(world.account_id), require=False)
    assert answer["__typename"] == "SecurityPolicyUpdated"


async def test_what_brings_a_code_itself_wants_the_password_beside_it(world: World) -> None:
    mia = await world.sign_in("mia")
    factor = await world.enroll(mia)
    await age_proofs(world)
    assert await mia.refusal(REGENERATE, code=await factor.code()) == STEP_UP
    assert await mia.refusal(DISABLE, code=await factor.code()) == STEP_UP
    await reauthenticate(mia, password=PASSWORD)
    assert (await mia.do(DISABLE, code=await factor.code()))["__typename"] == "MfaDisabled"


async def test_a_wrong_code_is_no_proof_and_counts_as_a_guess(world: World) -> None:
    mia = await world.sign_in("mia")
    factor = await world.enroll(mia)
    await age_proofs(world)
    wrong = await reauthenticate(mia, code={"totp": "000000"})
    assert (wrong["__typename"], wrong["attemptsRemaining"]) == ("InvalidCode", 9)
    code = await factor.code()
    outcomes = [(await reauthenticate(mia, code={"totp": code}))["__typename"] for _ in range(2)]
    assert outcomes == ["Reauthenticated", "InvalidCode"]  # each code works once
    mixed = await reauthenticate(mia, password="wrong", code={"backupCode": factor.backup_codes[0]})
    assert mixed["__typename"] == "InvalidCredentials"
    assert await world.database.fetchval("SELECT count(*) FROM backup_codes") == 10


async def test_there_is_something_to_show(world: World) -> None:
    mia = await world.sign_in("mia")
    assert await mia.refusal(SHOW_AGAIN, input={}) == "BAD_USER_INPUT"
    assert (await reauthenticate(mia, code={"totp": "000000"}))["__typename"] == "MfaNotEnabled"
    assert await world.client().refusal(SHOW_AGAIN, input={"password": PASSWORD}) == "UNAUTHENTICATED"


async def test_how_long_sessions_and_proofs_hold_is_a_setting(world: World, database_url: str) -> None:
    settings = settings_for(database_url, session_lifetime_days=2, session_idle_days=1, proof_minutes=60)
    async with serving(settings) as world.base_url:
        mia = await world.sign_in("mia")
        lifetime = await world.database.fetchval("SELECT expires_at - created_at = interval '2 days' FROM sessions")
        assert lifetime is True
        await age_proofs(world, "59 minutes")
        assert (await mia.do(BEGIN))["__typename"] == "MfaEnrollment"
        await age_proofs(world, "1 minute")
        assert await mia.refusal(BEGIN) == STEP_UP
        await world.database.execute("UPDATE sessions SET last_used_at = now() - interval '1 day'")
        assert await mia.ask(VIEWER_EMAIL) == {"viewer": None}


@pytest.mark.parametrize("change", ["regenerate", "disable"])
async def test_a_change_of_factors_ends_the_other_sessions_and_challenges(world: World, change: str) -> None:
    mia = await world.sign_in("mia")
    factor = await world.enroll(mia)
    await world.forget_spent_steps("mia")
    other, token = await world.challenge("mia")
    other.token = (await other.do(COMPLETE, token=token, code={"totp": await factor.code(-1)}))["sessionToken"]
    thief, open_token = await world.challenge("mia")
    answer = await mia.do(REGENERATE if change == "regenerate" else DISABLE, code=await factor.code())
    assert answer["__typename"] in {"BackupCodesRegenerated", "MfaDisabled"}
    assert (await mia.ask(VIEWER_EMAIL))["viewer"] is not None  # a bearer token stays
    assert await other.ask(VIEWER_EMAIL) == {"viewer": None}
    late = await thief.do(COMPLETE, token=open_token, code={"totp": await factor.code(1)})
    assert late["__typename"] == "ChallengeExpired"


async def test_a_wrong_code_ends_no_session(world: World) -> None:
    mia = await world.sign_in("mia")
    factor = await world.enroll(mia)
    await world.forget_spent_steps("mia")
    other, token = await world.challenge("mia")
    other.token = (await other.do(COMPLETE, token=token, code={"totp": await factor.code(-1)}))["sessionToken"]
    assert (await mia.do(DISABLE, code="000000"))["__typename"] == "InvalidCode"
    assert (await other.ask(VIEWER_EMAIL))["viewer"] is not None


async def test_a_cookie_session_gets_a_new_token_with_each_change_of_factors(world: World) -> None:
    mia = await cookie_client(world, "mia")
    begun = await mia.do(BEGIN)
    factor = Factor(begun["manualEntryKey"].replace(" ", ""), [])
    for operation in (VERIFY, REGENERATE, DISABLE):
        stolen = world.client()
        stolen.http.cookies.update(mia.http.cookies)
        before = mia.http.cookies["gatehouse"]
        code = await factor.code(-1 if operation is VERIFY else 0 if operation is REGENERATE else 1)
        answer = await mia.do(operation, code=code)
        assert answer["__typename"] in {"MfaEnabled", "BackupCodesRegenerated", "MfaDisabled"}
        assert mia.http.cookies["gatehouse"] != before
        assert (await mia.ask(VIEWER_EMAIL))["viewer"] is not None
        assert await stolen.ask(VIEWER_EMAIL) == {"viewer": None}


async def test_two_regenerations_at_once_leave_one_session_and_one_set(world: World) -> None:
    mia = await cookie_client(world, "mia")
    begun = await mia.do(BEGIN)
    factor = Factor(begun["manualEntryKey"].replace(" ", ""), [])
    await mia.do(VERIFY, code=await factor.code(-1))
    code = await factor.code()
    bodies = await asyncio.gather(*(mia.raw(REGENERATE, code=code) for _ in range(4)))
    done = [body["data"]["regenerateBackupCodes"] for body in bodies if body.get("data")]
    assert [one["__typename"] for one in done if one].count("BackupCodesRegenerated") == 1
    assert await world.database.fetchval("SELECT count(*) FROM sessions") == 1


async def test_the_sessions_of_a_person_are_capped_and_the_oldest_go(world: World) -> None:
    oldest = [await world.sign_in("mia") for _ in range(3)]
    await world.database.execute(
        """
        INSERT INTO sessions (user_id, token_hash, password_at, expires_at)
        SELECT $1, sha256(n::text::bytea), now(), now() + interval '1 day' FROM generate_series(1, $2::int) AS n
        """,
        await world.user_id("mia"),
        MOST_SESSIONS - 3,
    )
    assert await world.database.fetchval("SELECT count(*) FROM sessions") == MOST_SESSIONS
    newest = [await world.sign_in("mia") for _ in range(2)]
    clients = oldest + newest
    assert [(await client.ask(VIEWER_EMAIL))["viewer"] is not None for client in clients] == [False] * 2 + [True] * 3
    assert await world.database.fetchval("SELECT count(*) FROM sessions") == MOST_SESSIONS


async def test_the_challenges_of_a_person_are_capped_and_the_oldest_go(world: World) -> None:
    factor = await world.enroll(await world.sign_in("mia"))
    challenges = [await world.challenge("mia") for _ in range(MOST_CHALLENGES + 1)]
    code = {"totp": await factor.code()}
    outcomes = [(await client.do(COMPLETE, token=token, code=code))["__typename"] for client, token in challenges[:3]]
    assert outcomes == ["ChallengeExpired", "SignedIn", "InvalidCode"]
