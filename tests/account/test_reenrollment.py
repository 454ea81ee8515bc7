"""After a reset: "This was not me" stops whoever enrolls first, and an account may have it confirmed by email."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from db import outbox
from rules.clients import Client as Where
from rules.events.mfa import MfaEnabled, MfaReset
from rules.links import Purpose
from rules.throttling import WRONG_LINK
from tests.account.acts import ask_account, reset
from tests.account.operations import CONFIRM, CONFIRM_BY_EMAIL, DISPUTE, MFA_STATE, MIA_ON_ROSTER
from tests.client import Client
from tests.coming_in.links import link_to
from tests.line import Line, give_factors
from tests.operations import BEGIN, COMPLETE, VERIFY, VIEWER_EMAIL
from tests.parts import body_of
from tests.people import Factor, World, email
from tests.waiting import until

WEEK_MINUTES = 7 * 24 * 60


async def was_reset(world: World) -> Client:
    """Olive's client; she has just reset Mia."""
    olive = await world.enrolled("olive")
    await world.enrolled("mia")
    assert (await reset(olive, world, "mia"))["__typename"] == "StaffMfaReset"
    return olive


async def dispute(world: World, token: str) -> dict[str, Any]:
    return await world.client().do(DISPUTE, token=token)


async def not_me(world: World) -> str:
    return await link_to(world, email("mia"), Purpose.NOT_ME, minutes=WEEK_MINUTES)


async def member(client: Client, world: World) -> dict[str, Any]:
    found: dict[str, Any] = (await ask_account(client, world, MIA_ON_ROSTER))["nodes"][0]
    return found


async def test_this_was_not_me_ends_all_and_stops_enrolling_until_an_owner_resets_again(world: World) -> None:
    olive, adam = await was_reset(world), await world.enrolled("adam")
    thief = await world.sign_in("mia")
    assert (await thief.do(BEGIN))["__typename"] == "MfaEnrollment"
    token = await not_me(world)
    assert await dispute(world, token) == {"__typename": "MfaResetDisputed", "email": email("mia")}
    assert await thief.ask(VIEWER_EMAIL) == {"viewer": None}
    assert await dispute(world, token) == {"__typename": "LinkExpired"}
    (event,) = await world.events("MFA_RESET_DISPUTED")
    assert (event["account_id"], event["subject_id"]) == (world.account_id, await world.user_id("mia"))

    thief = await world.sign_in("mia")
    stopped = await thief.do(BEGIN)
    assert (stopped["__typename"], "Ask an owner" in stopped["message"]) == ("NotPermitted", True)
    assert (await thief.ask(MFA_STATE))["viewer"]["mfa"] == {
        "enabled": False,
        "reenrollmentRequired": True,
        "emailLinkRequired": False,
        "enrollmentStopped": True,
    }
    assert await member(adam, world) == {"canResetMfa": False, "enrollmentStopped": True, "mfaState": "BLOCKED"}
    refused = await reset(adam, world, "mia")
    assert (refused["__typename"], "Only an owner" in refused["message"]) == ("NotPermitted", True)
    assert (await thief.do(BEGIN))["__typename"] == "NotPermitted"

    assert (await member(olive, world))["canResetMfa"] is True
    assert (await reset(olive, world, "mia"))["__typename"] == "StaffMfaReset"
    assert (await member(olive, world)) == {"canResetMfa": False, "enrollmentStopped": False, "mfaState": "BLOCKED"}
    await world.enroll(await world.sign_in("mia"))


async def test_a_thief_who_enrolled_first_loses_the_factor_too(world: World) -> None:
    await was_reset(world)
    thief = await world.sign_in("mia")
    factor = await world.enroll(thief)
    _, challenge = await world.challenge("mia")
    assert (await dispute(world, await not_me(world)))["__typename"] == "MfaResetDisputed"
    assert await thief.ask(VIEWER_EMAIL) == {"viewer": None}
    code = {"backupCode": factor.backup_codes[0]}
    assert (await world.client().do(COMPLETE, token=challenge, code=code))["__typename"] == "ChallengeExpired"
    assert (await (await world.sign_in("mia")).do(BEGIN))["__typename"] == "NotPermitted"


async def test_the_owners_of_each_account_of_the_person_hear_of_it(world: World) -> None:
    await was_reset(world)
    await world.database.execute(
        "INSERT INTO staff (account_id, user_id, email, role) VALUES ($1, $2, $3, 'MEMBER')",
        world.other_account_id,
        await world.user_id("mia"),
        email("mia"),
    )
    await dispute(world, await not_me(world))
    told = await world.events("MFA_RESET_DISPUTED")
    assert {event["account_id"] for event in told} == {world.account_id, world.other_account_id}


async def test_of_fifty_with_one_token_one_wins(world: World) -> None:
    await was_reset(world)
    token, client = await not_me(world), world.client()
    kinds = [
        answer["__typename"] for answer in await asyncio.gather(*(client.do(DISPUTE, token=token) for _ in range(50)))
    ]
    assert (kinds.count("MfaResetDisputed"), kinds.count("LinkExpired")) == (1, 49)
    assert len(await world.events("MFA_RESET_DISPUTED")) == 1


async def test_made_up_tokens_are_throttled_and_the_right_one_is_taken_all_the_same(world: World) -> None:
    await was_reset(world)
    token = await not_me(world)
    for made_up in ("", "gh_l_", token + "x", token[:-1] + ("A" if token[-1] != "A" else "B"), "é" * 4000):
        assert (await dispute(world, made_up))["__typename"] == "LinkExpired"
    most, span = WRONG_LINK.lock
    await world.database.execute(
        "UPDATE throttles SET failures = array_fill(now(), ARRAY[$1::int]) WHERE key LIKE 'link:%'", most
    )
    assert (await dispute(world, "gh_l_none"))["__typename"] == "TooManyAttempts"
    assert await world.events("MFA_RESET_DISPUTED") == []
    assert (await dispute(world, token))["__typename"] == "MfaResetDisputed"
    assert span.total_seconds() == 15 * 60


async def test_another_purpose_and_a_link_that_a_newer_reset_has_replaced_are_worth_nothing(world: World) -> None:
    olive = await was_reset(world)
    password = await link_to(world, email("mia"), Purpose.PASSWORD_RESET)
    assert (await dispute(world, password))["__typename"] == "LinkExpired"
    token = await not_me(world)
    await world.enrolled("mia")
    assert (await reset(olive, world, "mia"))["__typename"] == "StaffMfaReset"
    assert (await dispute(world, token))["__typename"] == "LinkExpired"
    assert await world.events("MFA_RESET_DISPUTED") == []


async def test_a_race_between_the_link_and_an_enrollment_leaves_no_factor(world: World) -> None:
    olive = await was_reset(world)
    for _ in range(5):
        thief = await world.sign_in("mia")
        begun = await thief.do(BEGIN)
        code = await Factor(begun["manualEntryKey"].replace(" ", ""), []).code()
        await asyncio.gather(thief.raw(VERIFY, code=code), dispute(world, await not_me(world)))
        left = await world.database.fetchrow(
            "SELECT (SELECT count(*) FROM factors WHERE user_id = id) AS factors, "
            "(SELECT count(*) FROM sessions WHERE user_id = id) AS sessions, "
            "enrollment_stopped_at IS NOT NULL AS stopped FROM users WHERE email = $1",
            email("mia"),
        )
        assert dict(left or {}) == {"factors": 0, "sessions": 0, "stopped": True}
        assert (await reset(olive, world, "mia"))["__typename"] == "StaffMfaReset"


async def require_confirmation(client: Client, world: World, confirm: bool | None = True) -> dict[str, Any]:
    return await client.do(CONFIRM_BY_EMAIL, account=str(world.account_id), confirm=confirm)


async def test_the_option_is_off_and_saving_it_is_one_event(world: World) -> None:
    olive = await world.sign_in("olive")
    answers = [await require_confirmation(olive, world, confirm) for confirm in (None, True, True, None, False)]
    shown = [answer["securityPolicy"]["confirmResetByEmail"] for answer in answers]
    assert shown == [False, True, True, True, False]
    told = await world.events("RESET_CONFIRMATION_CHANGED", "POLICY_DISABLED", "POLICY_CHANGED")
    assert [(event["type"], event["data"]["isRequired"]) for event in told] == [
        ("RESET_CONFIRMATION_CHANGED", True),
        ("RESET_CONFIRMATION_CHANGED", False),
    ]
    mia = await world.sign_in("mia")
    refused = await mia.refusal(CONFIRM_BY_EMAIL, account=str(world.account_id), confirm=True)
    assert refused == "NOT_FOUND"


async def test_with_it_enrolling_again_needs_the_emails_link_in_the_same_session(world: World) -> None:
    olive = await was_reset(world)
    await require_confirmation(olive, world)
    thief, mia = await world.sign_in("mia"), await world.sign_in("mia")
    assert (await mia.ask(MFA_STATE))["viewer"]["mfa"]["emailLinkRequired"] is True
    needed = await mia.do(BEGIN)
    assert (needed["__typename"], "email" in needed["message"]) == ("NotPermitted", True)
    token = await link_to(world, email("mia"), Purpose.ENROLLMENT)
    adam = await world.sign_in("adam")
    assert (await adam.do(CONFIRM, token=token))["__typename"] == "LinkExpired"
    assert await world.client().refusal(CONFIRM, token=token) == "UNAUTHENTICATED"
    confirmed = await mia.do(CONFIRM, token=token)
    assert confirmed["viewer"]["mfa"] == {"emailLinkRequired": False}
    assert (await thief.do(CONFIRM, token=token))["__typename"] == "LinkExpired"
    assert (await thief.do(BEGIN))["__typename"] == "NotPermitted"
    await world.enroll(mia)
    assert await thief.ask(VIEWER_EMAIL) == {"viewer": None}
    assert len(await world.events("ENROLLMENT_CONFIRMED")) == 1


async def test_what_began_before_the_option_does_not_end_without_the_link(world: World) -> None:
    olive = await was_reset(world)
    mia = await world.sign_in("mia")
    begun = await mia.do(BEGIN)
    await require_confirmation(olive, world)
    code = await Factor(begun["manualEntryKey"].replace(" ", ""), []).code(-1)
    assert (await mia.do(VERIFY, code=code))["__typename"] == "EnrollmentNotStarted"


async def test_each_sign_in_asks_for_a_link_but_a_thief_does_not_flood_the_mailbox(world: World) -> None:
    olive = await was_reset(world)
    await world.sign_in("mia")
    assert await world.events("ENROLLMENT_LINK_REQUESTED") == []
    await require_confirmation(olive, world)
    for _ in range(5):
        await world.sign_in("mia")
    assert len(await world.events("ENROLLMENT_LINK_REQUESTED")) == 3
    await world.database.execute("UPDATE users SET enrollment_stopped_at = now() WHERE email = $1", email("mia"))
    await world.database.execute("DELETE FROM throttles")
    await world.sign_in("mia")
    assert len(await world.events("ENROLLMENT_LINK_REQUESTED")) == 3


def hers(line: Line) -> list[str]:
    """What Mia has got; owners are alerted beside her."""
    return [body_of(message) for message in line.mailbox.messages if message["to"] == email("mia")]


async def test_the_emails_hold_the_links_and_each_works(line: Line) -> None:
    mia = await line.world.user_id("mia")
    await line.database.execute("UPDATE accounts SET confirm_reset_by_email = true")
    async with line.database.transaction():
        await line.database.execute("UPDATE users SET reenrollment_required_at = now() WHERE id = $1", mia)
        await outbox.append(line.database, MfaReset(account_id=line.world.account_id, subject_id=mia))
    await line.start("relay", "worker")
    await until(lambda: len(hers(line)) == 1, "the email about the reset")
    async with line.database.transaction():
        await give_factors(line.database, [mia])
        await outbox.append(line.database, MfaEnabled(subject_id=mia, actor_id=mia, client=Where(None, None)))
    await until(lambda: len(hers(line)) == 2, "the email about enrolling")
    reset_mail, enabled_mail = hers(line)
    found = await line.database.fetch("SELECT purpose, expires_at - made_at AS lifetime FROM links ORDER BY purpose")
    lifetimes = [(row["purpose"], row["lifetime"].total_seconds() / 60) for row in found]
    assert lifetimes == [("ENROLLMENT", 30)] + [("NOT_ME", WEEK_MINUTES)] * 2
    assert len(re.findall(r"This was not me:\s+http\S+/not-me#token=gh_l_\S+", reset_mail + enabled_mail)) == 2
    assert len(re.findall(r"/account/security#token=gh_l_\S+", reset_mail)) == 1
