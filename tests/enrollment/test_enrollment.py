"""Enrolling an authenticator app, its backup codes, and turning MFA off."""

from __future__ import annotations

import asyncio
import base64
import io
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import asyncpg
import pytest
import zxingcpp
from PIL import Image

from tests.client import Client
from tests.databases import until_waiting
from tests.operations import BEGIN, BEGIN_WITH_QR_CODES, COMPLETE, DISABLE, REGENERATE, VERIFY, VIEWER_EMAIL
from tests.people import World, begin, email


async def verify(client: Client, code: str) -> dict[str, Any]:
    """Verify by a code."""
    return await client.do(VERIFY, code=code)


async def test_the_qr_code_decodes_to_the_uri_of_the_manual_key(world: World) -> None:
    begun = await (await world.sign_in("mia")).do(BEGIN_WITH_QR_CODES)
    secret = begun["manualEntryKey"].replace(" ", "")
    header, _, data = begun["qrCodePngDataUri"].partition(",")
    assert header == "data:image/png;base64"
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(base64.b64decode(data))))
    assert found.text == begun["otpauthUri"]
    uri = urlsplit(begun["otpauthUri"])
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/TaskJuice:mia%40agency.example")
    assert parse_qs(uri.query) == {
        "secret": [secret],
        "issuer": ["TaskJuice"],
        "algorithm": ["SHA1"],
        "digits": ["6"],
        "period": ["30"],
    }
    assert len(base64.b32decode(secret)) == 20


async def test_the_svg_is_a_complete_document(world: World) -> None:
    begun = await (await world.sign_in("mia")).do(BEGIN_WITH_QR_CODES)
    assert begun["qrCodeSvg"].startswith("<svg ")
    assert 'xmlns="http://www.w3.org/2000/svg"' in begun["qrCodeSvg"]
    assert begun["qrCodeSvg"].rstrip().endswith("</svg>")


async def test_the_first_code_turns_mfa_on_and_shows_ten_backup_codes(world: World) -> None:
    client = await world.sign_in("mia")
    _, factor = await begin(client)
    enabled = await verify(client, await factor.code())
    assert enabled["viewer"]["mfa"] == {"enabled": True, "backupCodesRemaining": 10, "reenrollmentRequired": False}
    assert len(set(enabled["backupCodes"])) == 10
    assert [e["type"] for e in await world.events()] == ["SIGN_IN_SUCCEEDED", "MFA_ENABLED"]


async def test_a_code_with_a_space_is_taken(world: World) -> None:
    client = await world.sign_in("mia")
    _, factor = await begin(client)
    code = await factor.code()
    assert (await verify(client, f"{code[:3]} {code[3:]}"))["__typename"] == "MfaEnabled"


@pytest.mark.parametrize(("offset", "skew"), [(4, 120), (-6, -180)])
async def test_a_code_of_another_time_says_how_far_the_phones_clock_is_off(
    world: World, offset: int, skew: int
) -> None:
    client = await world.sign_in("mia")
    _, factor = await begin(client)
    answer = await verify(client, await factor.code(offset))
    assert (answer["__typename"], answer["clockSkewSeconds"]) == ("InvalidCode", skew)
    assert f"{abs(skew)} seconds {'ahead' if skew > 0 else 'behind'}" in answer["message"]
    assert await world.events("MFA_ENABLED") == []


async def test_beginning_again_begins_its_time_again(world: World) -> None:
    client = await world.sign_in("mia")
    await begin(client)
    await world.database.execute("UPDATE enrollments SET expires_at = now() + interval '1 minute'")
    await begin(client)
    left = "SELECT expires_at > now() + interval '10 minutes' FROM enrollments"
    assert await world.database.fetchval(left)


async def test_beginning_again_replaces_the_secret(world: World) -> None:
    client = await world.sign_in("mia")
    _, first = await begin(client)
    _, second = await begin(client)
    assert (await verify(client, await first.code()))["__typename"] == "InvalidCode"
    assert (await verify(client, await second.code()))["__typename"] == "MfaEnabled"


async def test_ten_wrong_first_codes_close_their_own_session_and_no_other(world: World) -> None:
    thief = await world.sign_in("mia")
    _, stolen = await begin(thief)
    answers = [await verify(thief, "000000") for _ in range(11)]
    assert [answer["__typename"] for answer in answers] == ["InvalidCode"] * 10 + ["TooManyAttempts"]
    assert (await verify(thief, await stolen.code()))["__typename"] == "TooManyAttempts"
    (event,) = await world.events("MFA_CHALLENGE_LOCKED")
    assert (event["data"]["isOfNewApp"], event["data"]["isMailed"]) == (True, True)
    mia = await world.sign_in("mia")
    await world.enroll(mia)
    assert await thief.ask(VIEWER_EMAIL) == {"viewer": None}


async def test_wrong_first_codes_are_told_of_for_themselves_and_keep_no_lock_of_a_sign_in_from_being_mailed(
    world: World,
) -> None:
    client = await world.sign_in("mia")
    await begin(client)
    for _ in range(10):
        await verify(client, "000000")
    await world.enroll(await world.sign_in("mia"))
    for _ in range(3):
        other, token = await world.challenge("mia")
        for _ in range(4):
            await other.do(COMPLETE, token=token, code={"totp": "000000"})
    locks = [event["data"] for event in await world.events("MFA_CHALLENGE_LOCKED")]
    assert [(lock["isOfNewApp"], lock["isMailed"]) for lock in locks] == [(True, True), (False, True)]


async def test_a_secret_lives_fifteen_minutes(world: World) -> None:
    client = await world.sign_in("mia")
    _, factor = await begin(client)
    assert await world.database.fetchval("SELECT expires_at - created_at = interval '15 minutes' FROM enrollments")
    await world.database.execute("UPDATE enrollments SET expires_at = now()")
    assert (await verify(client, await factor.code()))["__typename"] == "EnrollmentNotStarted"


async def test_nothing_can_be_verified_that_was_not_begun(world: World) -> None:
    assert (await verify(await world.sign_in("mia"), "123456"))["__typename"] == "EnrollmentNotStarted"


async def test_enrolling_twice_is_refused_in_the_words_of_the_page(world: World) -> None:
    client = await world.sign_in("mia")
    factor = await world.enroll(client)
    expected = {
        "__typename": "MfaAlreadyEnabled",
        "message": "MFA is already enabled. Disable it first to re-enroll.",
    }
    assert await client.do(BEGIN) == expected
    assert await verify(client, await factor.code()) == expected


async def test_enabling_ends_the_persons_other_sessions(world: World) -> None:
    client, other, adam = await world.sign_in("mia"), await world.sign_in("mia"), await world.sign_in("adam")
    await world.enroll(client)
    assert await other.ask(VIEWER_EMAIL) == {"viewer": None}
    assert (await client.ask(VIEWER_EMAIL))["viewer"]["email"] == email("mia")
    assert (await adam.ask(VIEWER_EMAIL))["viewer"]["email"] == email("adam")


async def test_portal_users_are_never_enrolled(world: World) -> None:
    client = await world.sign_in("petra")
    assert (await client.do(BEGIN))["__typename"] == "NotPermitted"
    assert await world.database.fetchval("SELECT count(*) FROM enrollments") == 0


async def test_a_super_admin_without_a_role_may_enroll(world: World) -> None:
    await world.enroll(await world.sign_in("sue"))


@pytest.mark.parametrize("operation", [BEGIN, VERIFY, REGENERATE, DISABLE])
async def test_nobody_changes_mfa_without_a_session(world: World, operation: str) -> None:
    variables = {} if operation == BEGIN else {"code": "123456"}
    assert await world.client().refusal(operation, **variables) == "UNAUTHENTICATED"


@pytest.mark.parametrize("operation", [BEGIN, VERIFY, REGENERATE, DISABLE])
async def test_mfa_is_changed_only_within_two_hours_of_the_password(world: World, operation: str) -> None:
    client = await world.sign_in("mia")
    await world.database.execute("UPDATE sessions SET password_at = now() - interval '2 hours'")
    variables = {} if operation == BEGIN else {"code": "123456"}
    assert await client.refusal(operation, **variables) == "REAUTHENTICATION_REQUIRED"
    assert await world.database.fetchval("SELECT count(*) FROM throttles WHERE key LIKE 'mfa:%'") == 0


async def test_two_verifications_at_once_give_exactly_one_set_of_codes(world: World) -> None:
    client = await world.sign_in("mia")
    _, factor = await begin(client)
    codes = [await factor.code(offset) for offset in (0, 0, 1, 1, -1)]
    answers = await asyncio.gather(*(verify(client, code) for code in codes))
    counted = Counter(answer["__typename"] for answer in answers)
    assert counted == {"MfaEnabled": 1, "MfaAlreadyEnabled": 4}
    assert await world.database.fetchval("SELECT count(*) FROM backup_codes") == 10
    assert len(await world.events("MFA_ENABLED")) == 1


async def test_a_right_code_that_comes_too_late_is_not_charged(world: World) -> None:
    client = await world.sign_in("mia")
    _, factor = await begin(client)
    code = await factor.code()
    await asyncio.gather(*(verify(client, code) for _ in range(5)))
    assert await world.database.fetchval("SELECT failures FROM throttles WHERE key LIKE 'mfa:%'") == []


async def test_regenerating_replaces_every_old_code_at_once(world: World) -> None:
    client = await world.sign_in("mia")
    factor = await world.enroll(client)
    new = await client.do(REGENERATE, code=await factor.code())
    assert not set(new["backupCodes"]) & set(factor.backup_codes)
    assert new["viewer"]["mfa"]["backupCodesRemaining"] == 10
    other, token = await world.challenge("mia")
    old = await other.do(COMPLETE, token=token, code={"backupCode": factor.backup_codes[0]})
    assert old["__typename"] == "InvalidCode"
    good = await other.do(COMPLETE, token=token, code={"backupCode": new["backupCodes"][0]})
    assert good["__typename"] == "SignedIn"
    assert len(await world.events("BACKUP_CODES_REGENERATED")) == 1


async def test_with_the_set_that_is_replaced_its_spent_codes_are_forgotten(world: World) -> None:
    client = await world.sign_in("mia")
    factor = await world.enroll(client)
    other, token = await world.challenge("mia")
    assert (await other.do(COMPLETE, token=token, code={"backupCode": factor.backup_codes[0]}))["sessionToken"]
    assert await world.database.fetchval("SELECT count(*) FROM spent_backup_codes") == 1
    assert (await client.do(REGENERATE, code=await factor.code()))["__typename"] == "BackupCodesRegenerated"
    assert await world.database.fetchval("SELECT count(*) FROM spent_backup_codes") == 0


async def test_regenerating_while_old_codes_are_used_leaves_only_new_ones(world: World) -> None:
    client = await world.sign_in("mia")
    factor = await world.enroll(client)
    challenges = [await world.challenge("mia") for _ in range(5)]
    code = await factor.code()
    # Under a key the answer is made before the commit: later, its session could be gone already.
    regenerated, *used = await asyncio.gather(
        client.do(REGENERATE, code=code),
        *(
            other.do(COMPLETE, token=token, code={"backupCode": factor.backup_codes[n]}, key=str(uuid4()))
            for n, (other, token) in enumerate(challenges)
        ),
    )
    assert regenerated["__typename"] == "BackupCodesRegenerated"
    assert {answer["__typename"] for answer in used} <= {"SignedIn", "InvalidCode", "ChallengeExpired"}
    assert await world.database.fetchval("SELECT count(*) FROM backup_codes") == 10
    other, token = await world.challenge("mia")
    for old in factor.backup_codes[5:8]:
        assert (await other.do(COMPLETE, token=token, code={"backupCode": old}))["__typename"] == "InvalidCode"


async def test_disabling_needs_a_current_code_and_keeps_this_session(world: World) -> None:
    client = await world.sign_in("mia")
    factor = await world.enroll(client)
    assert (await client.do(DISABLE, code="000000"))["__typename"] == "InvalidCode"
    assert (await client.do(DISABLE, code=factor.backup_codes[0]))["__typename"] == "InvalidCode"
    disabled = await client.do(DISABLE, code=await factor.code())
    assert disabled["viewer"]["mfa"] == {"enabled": False, "backupCodesRemaining": 0}
    await world.sign_in("mia")
    assert (await client.ask(VIEWER_EMAIL))["viewer"]["email"] == email("mia")
    assert await world.database.fetchval("SELECT count(*) FROM backup_codes") == 0


async def test_disabling_ends_an_open_challenge(world: World) -> None:
    client = await world.sign_in("mia")
    factor = await world.enroll(client)
    other, token = await world.challenge("mia")
    await client.do(DISABLE, code=await factor.code())
    answer = await other.do(COMPLETE, token=token, code={"backupCode": factor.backup_codes[0]})
    assert answer["__typename"] == "ChallengeExpired"


async def test_disabling_and_an_answer_to_a_challenge_never_wait_for_each_other(
    world: World, database_url: str
) -> None:
    client = await world.sign_in("mia")
    factor = await world.enroll(client)
    other, token = await world.challenge("mia")
    blocker = await asyncpg.connect(database_url)
    person, throttle = world.database.transaction(), blocker.transaction()
    await person.start()
    await world.database.execute("SELECT FROM users FOR UPDATE")
    disabling = asyncio.create_task(client.do(DISABLE, code=await factor.code()))
    await until_waiting(blocker, "FROM users")
    await throttle.start()
    await blocker.execute("SELECT FROM throttles FOR UPDATE")
    await person.rollback()
    await until_waiting(world.database, "UPDATE throttles")
    answering = asyncio.create_task(other.do(COMPLETE, token=token, code={"totp": "000000"}))
    await until_waiting(world.database, "UPDATE challenges|INSERT INTO throttles")
    await throttle.rollback()
    assert (await disabling)["__typename"] == "MfaDisabled"
    assert (await answering)["__typename"] == "ChallengeExpired"
    await blocker.close()


@pytest.mark.parametrize("operation", [REGENERATE, DISABLE])
async def test_without_mfa_the_page_s_sentence_is_the_answer(world: World, operation: str) -> None:
    client = await world.sign_in("mia")
    answer = await client.do(operation, code="123456")
    assert answer == {"__typename": "MfaNotEnabled", "message": "MFA is not enabled on your account"}


@pytest.mark.parametrize("operation", [REGENERATE, DISABLE])
async def test_a_code_is_spent_by_every_purpose(world: World, operation: str) -> None:
    client = await world.sign_in("mia")
    factor = await world.enroll(client)
    other, token = await world.challenge("mia")
    code = await factor.code()
    assert (await other.do(COMPLETE, token=token, code={"totp": code}))["__typename"] == "SignedIn"
    assert (await client.do(operation, code=code))["__typename"] == "InvalidCode"


async def test_no_secret_is_kept_in_the_clear_nor_told_by_an_event(world: World) -> None:
    client = await world.sign_in("mia")
    factor = await world.enroll(client)
    tables = ["users", "sessions", "challenges", "factors", "backup_codes", "enrollments", "events", "throttles"]
    kept = " ".join([str(await world.database.fetch(f"SELECT {table}::text FROM {table}")) for table in tables])
    secret = base64.b32decode(factor.secret)
    for told in (factor.secret, secret.hex(), *factor.backup_codes, *(c.encode().hex() for c in factor.backup_codes)):
        assert told not in kept
