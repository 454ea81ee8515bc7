"""The second factor at sign-in: one challenge, one code, one session."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pyotp
import pytest

from tests.client import Client
from tests.operations import COMPLETE, REGENERATE, SIGN_IN_FOR_COOKIE, VIEWER_EMAIL
from tests.people import Factor, World


async def complete(client: Client, token: str, **code: str) -> dict[str, Any]:
    """Answer the challenge by one code."""
    return await client.do(COMPLETE, token=token, code=code)


async def enrolled(world: World, name: str = "mia") -> Factor:
    """The person's factor, freshly enrolled."""
    return await world.enroll(await world.sign_in(name))


async def test_a_current_code_completes_the_challenge(world: World) -> None:
    factor = await enrolled(world)
    client, token = await world.challenge("mia")
    answer = await complete(client, token, totp=await factor.code())
    assert answer["__typename"] == "SignedIn"
    assert answer["sessionToken"].startswith("gh_s_")
    assert [e["type"] for e in await world.events("SIGN_IN_SUCCEEDED")] == ["SIGN_IN_SUCCEEDED"] * 2


async def test_a_password_alone_begins_no_session_once_mfa_is_on(world: World) -> None:
    await enrolled(world)
    before = await world.database.fetchval("SELECT count(*) FROM sessions")
    await world.challenge("mia")
    assert await world.database.fetchval("SELECT count(*) FROM sessions") == before
    assert len(await world.events("SIGN_IN_SUCCEEDED")) == 1


@pytest.mark.parametrize("offset", [-1, 0, 1])
async def test_a_spent_step_is_refused_also_within_the_tolerance(world: World, offset: int) -> None:
    factor = await enrolled(world)
    await world.forget_spent_steps("mia")
    code = await factor.code(offset)
    client, token = await world.challenge("mia")
    assert (await complete(client, token, totp=code))["__typename"] == "SignedIn"
    client, token = await world.challenge("mia")
    assert (await complete(client, token, totp=code))["__typename"] == "InvalidCode"


async def test_a_later_code_spends_every_earlier_one(world: World) -> None:
    factor = await enrolled(world)
    client, token = await world.challenge("mia")
    assert (await complete(client, token, totp=await factor.code(1)))["__typename"] == "SignedIn"
    client, token = await world.challenge("mia")
    assert (await complete(client, token, totp=await factor.code(0)))["__typename"] == "InvalidCode"


async def test_the_code_that_enabled_mfa_does_not_sign_in(world: World) -> None:
    factor = await enrolled(world)
    client, token = await world.challenge("mia")
    used = pyotp.TOTP(factor.secret).at(30 * await world.database.fetchval("SELECT last_step FROM factors"))
    assert (await complete(client, token, totp=used))["__typename"] == "InvalidCode"


async def test_a_backup_code_signs_in_once_and_says_how_many_are_left(world: World) -> None:
    factor = await enrolled(world)
    client, token = await world.challenge("mia")
    typed = f" {factor.backup_codes[3][:4].upper()}-{factor.backup_codes[3][4:]} "
    answer = await complete(client, token, backupCode=typed)
    assert answer["viewer"]["mfa"]["backupCodesRemaining"] == 9
    (event,) = await world.events("BACKUP_CODE_USED")
    assert event["data"]["remaining"] == 9

    client, token = await world.challenge("mia")
    answer = await complete(client, token, backupCode=factor.backup_codes[3])
    assert answer["__typename"] == "InvalidCode"
    assert len(await world.events("BACKUP_CODE_USED")) == 1


async def test_every_one_of_the_ten_codes_works(world: World) -> None:
    factor = await enrolled(world)
    for left, code in enumerate(reversed(factor.backup_codes)):
        client, token = await world.challenge("mia")
        answer = await complete(client, token, backupCode=code)
        assert answer["viewer"]["mfa"]["backupCodesRemaining"] == 9 - left


async def test_a_code_of_someone_else_is_wrong(world: World) -> None:
    await enrolled(world, "adam")
    other = await enrolled(world, "olive")
    client, token = await world.challenge("adam")
    assert (await complete(client, token, totp=await other.code()))["__typename"] == "InvalidCode"
    assert (await complete(client, token, backupCode=other.backup_codes[0]))["__typename"] == "InvalidCode"
    assert await world.database.fetchval("SELECT count(*) FROM backup_codes") == 20


async def test_outside_enrollment_a_wrong_code_never_tells_the_skew(world: World) -> None:
    factor = await enrolled(world)
    client, token = await world.challenge("mia")
    answer = await complete(client, token, totp=await factor.code(5))
    assert (answer["__typename"], answer["clockSkewSeconds"]) == ("InvalidCode", None)


async def test_a_challenge_dies_after_five_wrong_codes(world: World) -> None:
    factor = await enrolled(world)
    client, token = await world.challenge("mia")
    answers = [await complete(client, token, totp="000000") for _ in range(6)]
    assert [a.get("attemptsRemaining") for a in answers] == [4, 3, 2, 1, 0, None]
    assert answers[5]["__typename"] == "ChallengeExpired"
    assert (await complete(client, token, totp=await factor.code()))["__typename"] == "ChallengeExpired"


async def test_a_challenge_dies_after_five_minutes(world: World) -> None:
    factor = await enrolled(world)
    client, token = await world.challenge("mia")
    await world.database.execute("UPDATE challenges SET expires_at = now()")
    assert (await complete(client, token, totp=await factor.code()))["__typename"] == "ChallengeExpired"


async def test_after_five_minutes_a_code_is_no_guess_any_more(world: World) -> None:
    await enrolled(world)
    client, token = await world.challenge("mia")
    await world.database.execute("UPDATE challenges SET expires_at = now()")
    assert (await complete(client, token, totp="000000"))["__typename"] == "ChallengeExpired"
    assert await world.database.fetchval("SELECT attempts FROM challenges") == 0


@pytest.mark.parametrize("token", ["", "gh_c_", "gh_c_made-up", "gh_s_made-up", "x" * 9000])
async def test_a_made_up_challenge_has_expired(world: World, token: str) -> None:
    assert (await complete(world.client(), token, totp="123456"))["__typename"] == "ChallengeExpired"


async def test_fifty_uses_of_one_code_give_exactly_one_session(world: World) -> None:
    factor = await enrolled(world)
    challenges = [await world.challenge("mia") for _ in range(9)]
    code = await factor.code()
    answers = await asyncio.gather(
        *(complete(client, token, totp=code) for client, token in challenges for _ in range(5))
    )
    assert Counter(a["__typename"] for a in answers)["SignedIn"] == 1
    assert await world.database.fetchval("SELECT count(*) FROM sessions") == 2


async def test_fifty_uses_of_one_backup_code_give_exactly_one_session(world: World) -> None:
    factor = await enrolled(world)
    challenges = [await world.challenge("mia") for _ in range(9)]
    answers = await asyncio.gather(
        *(complete(c, token, backupCode=factor.backup_codes[0]) for c, token in challenges for _ in range(5))
    )
    assert Counter(a["__typename"] for a in answers)["SignedIn"] == 1
    assert await world.database.fetchval("SELECT count(*) FROM backup_codes") == 9
    assert len(await world.events("BACKUP_CODE_USED")) == 1


async def test_fifty_answers_to_one_challenge_give_exactly_one_session(world: World) -> None:
    factor = await enrolled(world)
    client, token = await world.challenge("mia")
    codes = [{"totp": await factor.code(0)}, {"totp": await factor.code(1)}] + [
        {"backupCode": code} for code in factor.backup_codes
    ]
    answers = await asyncio.gather(*(complete(client, token, **codes[n % len(codes)]) for n in range(50)))
    assert Counter(a["__typename"] for a in answers)["SignedIn"] == 1
    assert await world.database.fetchval("SELECT count(*) FROM sessions") == 2


async def test_a_wrong_second_factor_changes_nothing_but_the_counter(world: World) -> None:
    await enrolled(world)
    client, token = await world.challenge("mia")
    before = await world.database.fetchrow("SELECT last_step FROM factors"), len(await world.events())
    await complete(client, token, totp="000000")
    await complete(client, token, backupCode="00000000")
    told = [event["data"]["count"] for event in await world.events("CODE_REJECTED")]
    assert told == [1, 2]
    after = await world.database.fetchrow("SELECT last_step FROM factors"), len(await world.events()) - len(told)
    assert after == before
    assert await world.database.fetchval("SELECT attempts FROM challenges") == 2


async def test_the_cookie_asked_for_at_sign_in_is_set_by_the_completion(world: World) -> None:
    factor = await enrolled(world)
    client = world.client()
    token = (await client.do(SIGN_IN_FOR_COOKIE))["challengeToken"]
    assert not client.http.cookies
    answer = await complete(client, token, totp=await factor.code())
    assert (answer["__typename"], answer["sessionToken"]) == ("SignedIn", None)
    assert (await client.ask(VIEWER_EMAIL))["viewer"] is not None


async def test_exactly_one_kind_of_code_must_be_given(world: World) -> None:
    client = world.client()
    for code in ({}, {"totp": "123456", "backupCode": "abcd1234"}, {"totp": None}):
        assert await client.refusal(COMPLETE, token="gh_c_x", code=code) == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        *(("totp", typed) for typed in ("", "••••••", "1234567", "12345", "abcdef")),
        *(("backupCode", typed) for typed in ("", "abcd123", "••••••••", "123456")),
    ],
)
async def test_what_cannot_be_a_code_costs_no_guess(world: World, kind: str, typed: str) -> None:
    factor = await enrolled(world)
    client, token = await world.challenge("mia")
    for _ in range(12):
        answer = await complete(client, token, **{kind: typed})
        assert (answer["__typename"], answer["attemptsRemaining"]) == ("InvalidCode", 5)
        assert answer["message"].startswith("That is no ")
    assert await world.events("CODE_REJECTED", "MFA_CHALLENGE_LOCKED") == []
    assert (await complete(client, token, totp=await factor.code()))["__typename"] == "SignedIn"


async def test_a_wrong_code_after_what_cannot_be_one_is_the_first_guess(world: World) -> None:
    await enrolled(world)
    client, token = await world.challenge("mia")
    left = [(await complete(client, token, totp=typed))["attemptsRemaining"] for typed in ("", "000000", "1", "000000")]
    assert left == [5, 4, 4, 3]


WRONG = (
    "That code is not right. Enter the code that your authenticator app shows now; each code works once: wait for the "
    "next if you have used it."
)
PAST = (
    "That code has been used already, or it is too old; each code works once: wait for the next. If that is refused, "
    "too, set your phone's clock to automatic time."
)


@pytest.mark.parametrize(("steps", "sentence"), [(0, PAST), (-3, PAST), (9, WRONG)])
async def test_a_code_that_was_right_is_told_from_a_wrong_one_and_one_that_will_be_is_not(
    world: World, steps: int, sentence: str
) -> None:
    factor = await enrolled(world)
    spent = await world.database.fetchval("SELECT last_step FROM factors")
    client, token = await world.challenge("mia")
    code = pyotp.TOTP(factor.secret).at(30 * (spent + steps))
    for attempt in (1, 2):
        answer = await complete(client, token, totp=code)
        assert (answer["message"], answer["attemptsRemaining"]) == (sentence, 5 - attempt)


async def test_a_spent_backup_code_is_told_from_a_wrong_one_until_the_set_is_replaced(world: World) -> None:
    mia = await world.sign_in("mia")
    factor = await world.enroll(mia)
    spent = factor.backup_codes[0]
    client, token = await world.challenge("mia")
    assert (await complete(client, token, backupCode=spent))["__typename"] == "SignedIn"
    client, token = await world.challenge("mia")
    told = [(await complete(client, token, backupCode=code))["message"] for code in (spent, "aaaa2222")]
    assert told == [
        "That backup code has been used already. Each works once: enter another one.",
        "That backup code is not right. Enter one of the codes that you saved last.",
    ]
    await mia.do(REGENERATE, code=await factor.code())
    assert (await complete(client, token, backupCode=spent))["__typename"] == "ChallengeExpired"
    client, token = await world.challenge("mia")
    assert (await complete(client, token, backupCode=spent))["message"] == told[1]


@pytest.mark.parametrize("shape", ["{}-{}", "{}–{}", " {} {} ", "{}\u200b{}\ufeff"])
async def test_dashes_spaces_and_invisible_marks_in_a_code_do_not_matter(world: World, shape: str) -> None:
    factor = await enrolled(world)
    client, token = await world.challenge("mia")
    code = await factor.code()
    arabic = code[3:].translate({ord("0") + n: 0x0660 + n for n in range(10)})
    assert (await complete(client, token, totp=shape.format(code[:3], arabic)))["__typename"] == "SignedIn"
