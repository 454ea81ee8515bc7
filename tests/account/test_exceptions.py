"""Exceptions from an account's MFA requirement: given, ended, and who may not."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db import users
from db.pool import Database
from tests.alerts.hearing import mails
from tests.client import Client, GraphQLError
from tests.databases import until_waiting
from tests.operations import ACCOUNT_NAME, DAYS_LEFT, END_EXCEPTION, EXCEPTIONS, EXEMPT
from tests.people import World, require_mfa
from tests.reminders.cast import planned, pool

__all__ = ["pool"]

EXCEPTION = "exception { id kind email until reason authorEmail breakGlass endedAt }"
EXTEND = f"""
mutation ($input: ExtendMfaDeadlineInput!) {{
  extendMfaDeadline(input: $input) {{
    __typename
    ... on MfaDeadlineExtended {{
      {EXCEPTION}
      results {{ staffId problem staffMember {{ mfaState mfaDeadline mfaDeadlineReason }} }}
    }}
    ... on Error {{ message }}
    ... on InvalidInput {{ field }}
  }}
}}
"""


def ahead(**span: float) -> str:
    """An instant ahead of now, as clients write it."""
    return (datetime.now(UTC) + timedelta(**span)).isoformat()


async def asked(world: World, *names: str, until: str, **more: Any) -> dict[str, Any]:
    """The input for these members of the agency."""
    staff_ids = [str(await world.staff_id(name)) for name in names]
    whom = {"staffId": staff_ids[0]} if len(names) == 1 else {"staffIds": staff_ids}
    return {"accountId": str(world.account_id), "until": until, "reason": "On leave", **whom, **more}


async def blocked(world: World) -> Client:
    """Mia, signed in, whose agency's deadline has passed."""
    await require_mfa(world.database, world.account_id, days_ago=3, grace_days=1)
    mia = await world.sign_in("mia")
    assert await mia.refusal(ACCOUNT_NAME, account=str(world.account_id)) == "MFA_ENROLLMENT_REQUIRED"
    return mia


async def test_more_time_opens_the_gate_and_keeps_the_banner(world: World) -> None:
    olive, mia = await enrolled_olive(world), await blocked(world)
    answer = await olive.do(EXTEND, input=await asked(world, "mia", until=ahead(days=2.5)))
    assert answer["__typename"] == "MfaDeadlineExtended", answer
    assert answer["exception"]["authorEmail"] == "olive@agency.example"
    (row,) = answer["results"]
    assert row["staffMember"]["mfaState"] == "NOT_ENABLED"
    assert row["staffMember"]["mfaDeadlineReason"] == "EXTENDED"
    assert (await mia.ask(ACCOUNT_NAME, account=str(world.account_id)))["account"] == {"name": "Agency"}
    assert (await mia.ask(DAYS_LEFT))["viewer"]["mfaNotice"] == {"daysRemaining": 3, "blocking": False}
    (event,) = await world.events("MFA_DEADLINE_EXTENDED")
    assert event["data"]["reason"] == "On leave"


async def test_an_exemption_that_ends_before_the_deadline_asks_nothing_meanwhile_and_is_told_as_the_reason(
    world: World,
) -> None:
    await require_mfa(world.database, world.account_id, days_ago=0, grace_days=10)
    olive, mia = await enrolled_olive(world), await world.sign_in("mia")
    answer = await olive.do(EXEMPT, input=await asked(world, "mia", until=ahead(days=2)))
    assert answer["results"] == [{"staffMember": {"mfaState": "NOT_ENABLED", "mfaDeadlineReason": "EXEMPTED"}}]
    assert (await mia.ask(DAYS_LEFT))["viewer"]["mfaNotice"] is None
    await world.database.execute("UPDATE staff SET excepted_until = now() WHERE is_exempt")
    assert (await mia.ask(DAYS_LEFT))["viewer"]["mfaNotice"] == {"daysRemaining": 10, "blocking": False}
    answer = await olive.do(EXTEND, input=await asked(world, "mia", until=ahead(days=1)))
    assert answer["results"][0]["staffMember"]["mfaDeadlineReason"] == "POLICY"


async def test_an_exemption_asks_nothing_until_it_ends(world: World) -> None:
    olive, mia = await enrolled_olive(world), await blocked(world)
    await olive.do(EXEMPT, input=await asked(world, "mia", until=ahead(days=2)))
    assert (await mia.ask(DAYS_LEFT))["viewer"]["mfaNotice"] is None
    await world.database.execute("UPDATE staff SET excepted_until = now() WHERE is_exempt")
    assert await mia.refusal(ACCOUNT_NAME, account=str(world.account_id)) == "MFA_ENROLLMENT_REQUIRED"
    assert (await mia.ask(DAYS_LEFT))["viewer"]["mfaNotice"] == {"daysRemaining": 0, "blocking": True}


async def test_ended_by_hand_it_bites_at_once(world: World) -> None:
    olive, mia = await enrolled_olive(world), await blocked(world)
    given = await olive.do(EXTEND, input=await asked(world, "mia", until=ahead(days=2)))
    end = {"accountId": str(world.account_id), "exceptionId": given["exception"]["id"]}
    ended = await olive.do(END_EXCEPTION, input=end)
    assert ended["staffMember"] == {"mfaState": "BLOCKED", "mfaDeadlineReason": "POLICY"}
    assert await mia.refusal(ACCOUNT_NAME, account=str(world.account_id)) == "MFA_ENROLLMENT_REQUIRED"
    assert await olive.refusal(END_EXCEPTION, input=end) == "NOT_FOUND"


@pytest.mark.parametrize("mutation", [EXEMPT, EXTEND])
async def test_who_is_excepted_no_more_is_told_of_the_deadline_that_is_ahead(
    world: World, pool: Database, mutation: str
) -> None:
    olive, mia = await enrolled_olive(world), await world.user_id("mia")
    await require_mfa(world.database, world.account_id, days_ago=5.5, grace_days=14)
    given = await olive.do(mutation, input=await asked(world, "mia", until=ahead(days=20)))
    made = await require_mfa(world.database, world.account_id, days_ago=5.5, grace_days=7)
    await olive.do(END_EXCEPTION, input={"accountId": str(world.account_id), "exceptionId": given["exception"]["id"]})
    (told,) = await world.events("MFA_REQUIRED")
    assert (told["subject_id"], datetime.fromisoformat(told["data"]["deadline"])) == (mia, made.deadline)
    assert told["data"]["isMailed"] is True
    await planned(world, pool)
    assert await mails(world, "mfa_required") == ["mia"]


@pytest.mark.parametrize("days_ago", [20, None], ids=["passed", "not required"])
async def test_who_is_excepted_no_more_hears_of_no_deadline_where_none_is_ahead(
    world: World, days_ago: int | None
) -> None:
    olive = await enrolled_olive(world)
    if days_ago is not None:
        await require_mfa(world.database, world.account_id, days_ago=days_ago, grace_days=7)
    given = await olive.do(EXEMPT, input=await asked(world, "mia", until=ahead(days=2)))
    await olive.do(END_EXCEPTION, input={"accountId": str(world.account_id), "exceptionId": given["exception"]["id"]})
    assert len(await world.events("MFA_EXCEPTION_ENDED")) == 1
    assert await world.events("MFA_REQUIRED") == []


async def test_an_extension_never_shortens_what_the_policy_gives(world: World) -> None:
    olive = await enrolled_olive(world)
    await require_mfa(world.database, world.account_id, days_ago=0, grace_days=20)
    answer = await olive.do(EXTEND, input=await asked(world, "mia", until=ahead(days=2)))
    assert answer["results"][0]["staffMember"]["mfaDeadlineReason"] == "POLICY"


async def test_many_are_answered_row_by_row(world: World) -> None:
    olive = await enrolled_olive(world)
    answer = await olive.do(EXTEND, input=await asked(world, "adam", "olive", "mia", until=ahead(days=2)))
    assert [row["problem"] for row in answer["results"]] == [
        None,
        "Nobody excepts themselves. Another owner or admin can.",
        None,
    ]


async def test_who_is_no_member_here_is_a_row_of_its_own_and_alone_not_found(world: World) -> None:
    olive = await enrolled_olive(world)
    stranger = str(await world.database.fetchval("SELECT id FROM staff WHERE account_id = $1", world.other_account_id))
    mia, given = str(await world.staff_id("mia")), await asked(world, "mia", "adam", until=ahead(days=2))
    for mutation in (EXTEND, EXEMPT):
        assert await olive.refusal(mutation, input=given | {"staffIds": [stranger]}) == "NOT_FOUND"
    answer = await olive.do(EXTEND, input=given | {"staffIds": [stranger, mia, "nobody"]})
    none_here = "This is no staff member here."
    assert [row["problem"] for row in answer["results"]] == [none_here, None, none_here]
    assert len(await world.events("MFA_DEADLINE_EXTENDED")) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"until": ahead(days=91)}, "until"),
        ({"until": ahead(days=-1)}, "until"),
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"staffId": None}, "staffId"),
    ],
)
async def test_what_cannot_be_given_is_said_and_changes_nothing(
    world: World, change: dict[str, Any], field: str
) -> None:
    olive = await enrolled_olive(world)
    answer = await olive.do(EXTEND, input=await asked(world, "mia", until=ahead(days=2)) | change)
    assert (answer["__typename"], answer["field"]) == ("InvalidInput", field)
    assert await world.events("MFA_DEADLINE_EXTENDED") == []


async def test_nobody_excepts_themselves(world: World) -> None:
    olive = await enrolled_olive(world)
    answer = await olive.do(EXEMPT, input=await asked(world, "olive", until=ahead(days=2)))
    assert answer["__typename"] == "NotPermitted"


async def test_an_admin_marks_no_break_glass_account(world: World) -> None:
    adam = await world.sign_in("adam")
    await world.enroll(adam)
    answer = await adam.do(EXEMPT, input=await asked(world, "mia", until=ahead(days=2), breakGlass=True))
    assert answer["__typename"] == "NotPermitted"


async def test_an_admin_changes_and_ends_no_break_glass_account(world: World) -> None:
    olive, adam = await enrolled_olive(world), await world.enrolled("adam")
    marked = await olive.do(EXEMPT, input=await asked(world, "mia", until=ahead(days=2), breakGlass=True))
    owners_only = "Only an owner may change or end the exception of a break-glass account."
    end = {"accountId": str(world.account_id), "exceptionId": marked["exception"]["id"]}
    wanted = await asked(world, "mia", until=ahead(days=3))
    for mutation, given in ((EXEMPT, wanted), (EXTEND, wanted), (END_EXCEPTION, end)):
        answer = await adam.do(mutation, input=given)
        assert (answer["__typename"], answer["message"]) == ("NotPermitted", owners_only)
    assert len(await world.events("MFA_EXEMPTED", "MFA_DEADLINE_EXTENDED", "MFA_EXCEPTION_ENDED")) == 1
    assert (await olive.do(END_EXCEPTION, input=end))["__typename"] == "MfaExceptionEnded"
    assert (await adam.do(EXEMPT, input=wanted))["__typename"] == "MfaExempted"


async def test_each_sign_in_to_a_break_glass_account_is_told_to_the_owners(world: World) -> None:
    olive = await enrolled_olive(world)
    await olive.do(EXEMPT, input=await asked(world, "mia", until=ahead(days=2), breakGlass=True))
    await world.sign_in("mia")
    await world.sign_in("mia")
    events = await world.events("BREAK_GLASS_SIGNED_IN")
    assert [event["account_id"] for event in events] == [world.account_id] * 2


@pytest.mark.parametrize("name", ["mia", "sam"])
async def test_members_and_strangers_find_nothing_here(world: World, name: str) -> None:
    stranger = await world.sign_in(name)
    await world.enroll(stranger)
    wanted = await asked(world, "mia", until=ahead(days=2))
    assert await stranger.refusal(EXTEND, input=wanted) == "NOT_FOUND"
    assert await stranger.refusal(EXEMPT, input=wanted) == "NOT_FOUND"
    assert await stranger.refusal(EXCEPTIONS, id=str(world.account_id)) == "NOT_FOUND"


async def test_signed_out_nothing_can_be_given(world: World) -> None:
    wanted = await asked(world, "mia", until=ahead(days=2))
    assert await world.client().refusal(EXTEND, input=wanted) == "UNAUTHENTICATED"


async def test_of_many_at_once_one_holds_and_all_are_on_record(world: World) -> None:
    olive = await enrolled_olive(world)
    wanted = [await asked(world, "mia", until=ahead(days=days)) for days in range(1, 9)]
    answers = await asyncio.gather(*(olive.do(EXTEND, input=each) for each in wanted), return_exceptions=True)
    given = [each for each in answers if isinstance(each, dict)]
    # The account's row has turns for a few; who finds none in time is told to try again.
    assert all(isinstance(each, dict | GraphQLError) for each in answers) and given
    listed = (await olive.ask(EXCEPTIONS, id=str(world.account_id)))["account"]["mfaExceptions"]
    assert len(listed) == len(given)
    assert [each["endedAt"] for each in listed].count(None) == 1


@pytest.mark.parametrize(
    ("also", "problem"), [("adam", None), ("olive", "Nobody excepts themselves. Another owner or admin can.")]
)
async def test_beside_a_change_of_the_members_address_both_are_done(
    world: World, also: str, problem: str | None
) -> None:
    olive = await enrolled_olive(world)
    olive.patient = False
    wanted = await asked(world, "mia", also, until=ahead(days=2))
    async with world.database.transaction():
        for name in ("mia", "olive"):
            await users.lock_whole(world.database, await world.user_id(name))
        giving = asyncio.create_task(olive.do(EXTEND, input=wanted))
        await until_waiting(world.database)
        for name in ("mia", "olive"):
            await users.replace_email(world.database, await world.user_id(name), f"{name}@new.example", None)
    answer = await giving
    assert [row["problem"] for row in answer["results"]] == [None, problem]
    addresses = await world.database.fetch("SELECT email FROM staff WHERE email LIKE '%@new.example' ORDER BY email")
    assert [row["email"] for row in addresses] == ["mia@new.example", "olive@new.example"]


async def test_who_leaves_and_comes_again_has_no_exception(world: World) -> None:
    olive = await enrolled_olive(world)
    await olive.do(EXTEND, input=await asked(world, "mia", until=ahead(days=2)))
    await world.database.execute("DELETE FROM staff WHERE id = $1", await world.staff_id("mia"))
    (listed,) = (await olive.ask(EXCEPTIONS, id=str(world.account_id)))["account"]["mfaExceptions"]
    assert listed["endedAt"] is not None


async def enrolled_olive(world: World) -> Client:
    """Olive, signed in with a second factor."""
    olive = await world.sign_in("olive")
    await world.enroll(olive)
    return olive
