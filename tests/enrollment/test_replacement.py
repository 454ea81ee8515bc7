"""Moving to a new authenticator app while MFA stays on."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from db.pool import Database
from tests.client import Client
from tests.operations import BEGIN_REPLACEMENT, COMPLETE, REPLACE, VIEWER_EMAIL, WITH_COOKIE
from tests.people import PASSWORD, Factor, World, email
from tests.reminders.cast import planned, pool

__all__ = ["pool"]

AT_ONCE = 50


async def begin(client: Client, code: dict[str, str]) -> Factor:
    """Begin by the code; the new app."""
    begun = await client.do(BEGIN_REPLACEMENT, code=code)
    assert begun["__typename"] == "MfaEnrollment", begun
    return Factor(begun["manualEntryKey"].replace(" ", ""), [])


async def complete(world: World, code: dict[str, str]) -> str:
    """What comes of signing in as Mia by the code."""
    other, token = await world.challenge("mia")
    answer: dict[str, Any] = await other.do(COMPLETE, token=token, code=code)
    return str(answer["__typename"])


@pytest.mark.parametrize("by", ["totp", "backupCode"])
async def test_the_old_app_and_codes_stop_only_when_the_new_app_has_shown_a_code(world: World, by: str) -> None:
    client = await world.sign_in("mia")
    old = await world.enroll(client)
    other, token = await world.challenge("mia")
    other.token = (await other.do(COMPLETE, token=token, code={"backupCode": old.backup_codes[3]}))["sessionToken"]
    new = await begin(client, {by: await old.code() if by == "totp" else old.backup_codes[0]})
    assert await complete(world, {"totp": await old.code(1)}) == "SignedIn"
    assert await complete(world, {"backupCode": old.backup_codes[1]}) == "SignedIn"
    open_client, token = await world.challenge("mia")
    replaced = await client.do(REPLACE, code=await new.code(-1))
    assert replaced["viewer"]["mfa"] == {"enabled": True, "backupCodesRemaining": 10}
    assert len(set(replaced["backupCodes"]) - set(old.backup_codes)) == 10
    ended = await open_client.do(COMPLETE, token=token, code={"totp": await new.code()})
    assert ended["__typename"] == "ChallengeExpired"
    assert await other.ask(VIEWER_EMAIL) == {"viewer": None}
    assert (await client.ask(VIEWER_EMAIL))["viewer"]["email"] == email("mia")
    await world.forget_spent_steps("mia")
    assert await complete(world, {"totp": await old.code()}) == "InvalidCode"
    assert await complete(world, {"backupCode": old.backup_codes[2]}) == "InvalidCode"
    assert await complete(world, {"totp": await new.code()}) == "SignedIn"
    assert await complete(world, {"backupCode": replaced["backupCodes"][0]}) == "SignedIn"
    (event,) = await world.events("AUTHENTICATOR_REPLACED")
    assert event["subject_id"] == event["actor_id"] == await world.user_id("mia")


async def test_the_code_that_puts_the_new_app_in_place_is_spent(world: World) -> None:
    client = await world.sign_in("mia")
    old = await world.enroll(client)
    new = await begin(client, {"backupCode": old.backup_codes[0]})
    code = await new.code(1)
    assert (await client.do(REPLACE, code=code))["__typename"] == "AuthenticatorReplaced"
    assert await complete(world, {"totp": code}) == "InvalidCode"


async def test_a_wrong_code_changes_nothing(world: World) -> None:
    client = await world.sign_in("mia")
    old = await world.enroll(client)
    for code in ({"totp": "000000"}, {"backupCode": "zzzz2222"}):
        assert (await client.do(BEGIN_REPLACEMENT, code=code))["__typename"] == "InvalidCode"
    assert await world.database.fetchval("SELECT count(*) FROM enrollments") == 0
    await begin(client, {"totp": await old.code()})
    before = await world.database.fetch("SELECT * FROM factors")
    assert (await client.do(REPLACE, code="000000"))["__typename"] == "InvalidCode"
    assert await world.database.fetch("SELECT * FROM factors") == before
    assert await world.events("AUTHENTICATOR_REPLACED") == []


async def test_nothing_is_replaced_that_was_not_begun(world: World) -> None:
    client = await world.enrolled("mia")
    assert (await client.do(REPLACE, code="123456"))["__typename"] == "EnrollmentNotStarted"


async def test_without_mfa_there_is_nothing_to_replace(world: World) -> None:
    client = await world.sign_in("mia")
    assert (await client.do(BEGIN_REPLACEMENT, code={"totp": "123456"}))["__typename"] == "MfaNotEnabled"
    assert (await client.do(REPLACE, code="123456"))["__typename"] == "MfaNotEnabled"


async def test_nobody_replaces_an_app_without_a_session(world: World) -> None:
    assert await world.client().refusal(BEGIN_REPLACEMENT, code={"totp": "123456"}) == "UNAUTHENTICATED"
    assert await world.client().refusal(REPLACE, code="123456") == "UNAUTHENTICATED"


@pytest.mark.parametrize("operation", [BEGIN_REPLACEMENT, REPLACE])
async def test_ten_wrong_codes_lock_the_way_and_the_person_is_told_once(world: World, operation: str) -> None:
    client = await world.sign_in("mia")
    old = await world.enroll(client)
    new = await begin(client, {"totp": await old.code()})
    wrong: Any = "000000" if operation == REPLACE else {"backupCode": "zzzz2222"}
    answers = [await client.do(operation, code=wrong) for _ in range(12)]
    assert [answer["__typename"] for answer in answers] == ["InvalidCode"] * 10 + ["TooManyAttempts"] * 2
    assert (await client.do(REPLACE, code=await new.code()))["__typename"] == "TooManyAttempts"
    assert len(await world.events("MFA_CHALLENGE_LOCKED")) == 1
    assert await world.events("AUTHENTICATOR_REPLACED") == []


async def test_an_old_proof_begins_and_ends_nothing(world: World) -> None:
    client = await world.sign_in("mia")
    old = await world.enroll(client)
    new = await begin(client, {"totp": await old.code()})
    await world.database.execute(
        "UPDATE sessions SET password_at = now() - interval '15 minutes', "
        "second_factor_at = now() - interval '15 minutes'"
    )
    before = await world.database.fetch("SELECT * FROM factors")
    assert await client.refusal(REPLACE, code=await new.code()) == "REAUTHENTICATION_REQUIRED"
    assert await client.refusal(BEGIN_REPLACEMENT, code={"totp": await old.code(1)}) == "REAUTHENTICATION_REQUIRED"
    assert await world.database.fetch("SELECT * FROM factors") == before
    assert await world.events("AUTHENTICATOR_REPLACED") == []


async def test_a_cookie_session_goes_on_under_a_new_token(world: World) -> None:
    client = await world.sign_in("mia")
    old = await world.enroll(client)
    client = world.client()
    challenge = (await client.do(WITH_COOKIE, email=email("mia"), password=PASSWORD))["challengeToken"]
    await client.do(COMPLETE, token=challenge, code={"backupCode": old.backup_codes[0]})
    new = await begin(client, {"backupCode": old.backup_codes[1]})
    stolen, before = world.client(), client.http.cookies["gatehouse"]
    stolen.http.cookies.update(client.http.cookies)
    assert (await client.do(REPLACE, code=await new.code()))["__typename"] == "AuthenticatorReplaced"
    assert client.http.cookies["gatehouse"] != before
    assert (await client.ask(VIEWER_EMAIL))["viewer"]["email"] == email("mia")
    assert await stolen.ask(VIEWER_EMAIL) == {"viewer": None}


async def test_the_person_is_told_by_email(world: World, pool: Database) -> None:
    client = await world.sign_in("mia")
    new = await begin(client, {"totp": await (await world.enroll(client)).code()})
    await client.do(REPLACE, code=await new.code())
    assert set(await planned(world, pool)) == {"mia"}
    told = await world.database.fetch("SELECT message, queue FROM deliveries ORDER BY event_id")
    assert tuple(told[-1]) == ("authenticator_replaced", "security")


async def test_a_code_begins_one_replacement_however_often_it_comes_at_once(world: World) -> None:
    client = await world.sign_in("mia")
    old = await world.enroll(client)
    bodies = await asyncio.gather(
        *(client.raw(BEGIN_REPLACEMENT, code={"backupCode": old.backup_codes[0]}) for _ in range(AT_ONCE))
    )
    begun = [body for body in bodies if "manualEntryKey" in str(body)]
    assert len(begun) == 1
    assert await world.database.fetchval("SELECT count(*) FROM backup_codes") == 9
    assert len(await world.events("BACKUP_CODE_USED")) == 1


async def test_of_replacements_at_once_one_is_done(world: World) -> None:
    client = await world.sign_in("mia")
    new = await begin(client, {"totp": await (await world.enroll(client)).code()})
    code = await new.code()
    bodies = await asyncio.gather(*(client.raw(REPLACE, code=code) for _ in range(AT_ONCE)))
    kinds = Counter((body.get("data") or {}).get("replaceAuthenticator", {}).get("__typename") for body in bodies)
    assert kinds.pop("AuthenticatorReplaced") == 1
    # Whoever came too late to charge a guess, or to wait for the person's turn, is told so.
    assert kinds.keys() <= {"EnrollmentNotStarted", "TooManyAttempts", None}
    assert {body["errors"][0]["extensions"]["code"] for body in bodies if body.get("errors")} <= {"RATE_LIMITED"}
    assert (await client.ask(VIEWER_EMAIL))["viewer"]["email"] == email("mia")
    assert await world.database.fetchval("SELECT count(*) FROM backup_codes") == 10
    assert len(await world.events("AUTHENTICATOR_REPLACED")) == 1
