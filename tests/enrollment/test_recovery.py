"""A recovery pass: a lost phone without a wipe, and nothing for whoever talks somebody into one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from db.pool import Database
from schema.roots import build
from tests.client import Client
from tests.enrollment.passes import REASON, begun, issue, redeem
from tests.operations import (
    BEGIN_RECOVERY,
    BEGIN_REPLACEMENT,
    COMPLETE,
    ISSUE_PASS,
    PROVE,
    REDEEM_PASS,
    REPLACE,
    RESET,
    SIGN_OUT,
    VIEWER_EMAIL,
)
from tests.people import Factor, World, email
from tests.reminders.cast import planned, pool
from tests.watching.watch import watching

__all__ = ["pool"]

AT_ONCE = 50
# All that the session of a pass admits to, and more than nobody has.
ADMITTED = {"beginAuthenticatorReplacement", "replaceAuthenticator", "signOut"}
SCHEMA = build()._schema
ROOTS = [root for root in (SCHEMA.query_type, SCHEMA.mutation_type) if root is not None]


async def recovering(world: World) -> tuple[Client, Client, Factor]:
    """Olive, Mia's client in a session of a pass that Olive gave her, and the factor that Mia has lost."""
    olive, old = await world.enrolled("olive"), await world.enroll(await world.sign_in("mia"))
    mia, answer = await redeem(world, (await issue(olive, world))["recoveryPass"])
    assert answer["__typename"] == "RecoverySession", answer
    return olive, mia, old


async def test_the_old_factor_dies_only_when_the_new_one_is_verified(world: World) -> None:
    _, mia, old = await recovering(world)
    new = await begun(mia)
    other, token = await world.challenge("mia")
    answer = await other.do(COMPLETE, token=token, code={"backupCode": old.backup_codes[0]})
    assert answer["__typename"] == "SignedIn"
    replaced = await mia.do(REPLACE, code=await new.code(-1))
    assert replaced["viewer"]["mfa"] == {"enabled": True, "backupCodesRemaining": 10}
    assert (await mia.ask(VIEWER_EMAIL))["viewer"]["email"] == email("mia")
    lived = "SELECT max(expires_at) > now() + interval '29 days' FROM sessions WHERE user_id = $1"
    assert await world.database.fetchval(lived, await world.user_id("mia"))
    other, token = await world.challenge("mia")
    assert (await other.do(COMPLETE, token=token, code={"totp": await old.code(1)}))["__typename"] == "InvalidCode"
    code = {"backupCode": old.backup_codes[1]}
    assert (await other.do(COMPLETE, token=token, code=code))["__typename"] == "InvalidCode"
    assert (await other.do(COMPLETE, token=token, code={"totp": await new.code()}))["__typename"] == "SignedIn"


async def test_it_is_on_record_with_its_reason_and_told_to_the_person_and_the_owners(
    world: World, pool: Database
) -> None:
    await recovering(world)
    issued, used = await world.events("RECOVERY_PASS_ISSUED", "RECOVERY_PASS_USED")
    assert (issued["actor_id"], issued["subject_id"], issued["data"]["reason"]) == (
        await world.user_id("olive"),
        await world.user_id("mia"),
        REASON,
    )
    assert (used["actor_id"], used["account_id"]) == (await world.user_id("mia"), world.account_id)
    await planned(world, pool)
    rows = await world.database.fetch("SELECT email, message FROM deliveries WHERE message LIKE 'recovery%'")
    assert sorted(map(tuple, rows)) == [
        (email("mia"), "recovery_pass_issued"),
        (email("mia"), "recovery_pass_used"),
        (email("olive"), "recovery_pass_issued_owners"),
        (email("olive"), "recovery_pass_used_owners"),
    ]


async def test_its_session_admits_to_nothing_else_of_all_that_the_schema_has(world: World) -> None:
    """Each root field answers it as it answers nobody."""
    _, mia, _ = await recovering(world)
    nobody = world.client()
    seen = set()
    for name, operation in operations(SCHEMA, world.account_id):
        seen.add(name)
        if name not in ADMITTED:
            assert told(await mia.raw(operation)) == told(await nobody.raw(operation)), operation
    assert seen > ADMITTED
    assert len(seen) == sum(len(root.fields) for root in ROOTS)
    subscriptions = SCHEMA.subscription_type
    assert subscriptions is not None
    for name, field in subscriptions.fields.items():
        given = [f"{k}: {value(a.type, k, world.account_id)}" for k, a in field.args.items() if is_required_argument(a)]
        arguments = f"({', '.join(given)})" if given else ""
        async with watching(world, mia, f"subscription {{ {name}{arguments} {{ __typename }} }}") as watch:
            with pytest.raises(RuntimeError, match="UNAUTHENTICATED"):
                await watch.next()
    await begun(mia)  # the session has lived through it
    assert await mia.refusal(BEGIN_REPLACEMENT, code={"totp": "123456"}) == "UNAUTHENTICATED"
    assert await mia.ask(SIGN_OUT) == {"signOut": {"ok": True}}
    assert await mia.refusal(BEGIN_RECOVERY) == "UNAUTHENTICATED"


def operations(schema: GraphQLSchema, account_id: UUID) -> Iterator[tuple[str, str]]:
    """Each root field by name, asked with the least that it takes."""
    for root in ROOTS:
        kind = "query" if root is schema.query_type else "mutation"
        for name, field in root.fields.items():
            given = [f"{k}: {value(a.type, k, account_id)}" for k, a in field.args.items() if is_required_argument(a)]
            arguments = f"({', '.join(given)})" if given else ""
            selection = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
            yield name, f"{kind} {{ {name}{arguments}{selection} }}"


def value(type_: GraphQLInputType, name: str, account_id: UUID) -> str:
    """A value of the type, as a literal; the account's id where an id is asked for."""
    if isinstance(type_, GraphQLNonNull):
        return value(type_.of_type, name, account_id)
    if isinstance(type_, GraphQLList):
        return f"[{value(type_.of_type, name, account_id)}]"
    if isinstance(type_, GraphQLEnumType):
        return str(next(iter(type_.values)))
    if isinstance(type_, GraphQLInputObjectType):
        fields = {k: f.type for k, f in type_.fields.items() if is_required_input_field(f)}
        fields = fields or ({k: f.type for k, f in list(type_.fields.items())[:1]} if type_.is_one_of else {})
        return "{" + ", ".join(f"{k}: {value(t, k, account_id)}" for k, t in fields.items()) + "}"
    if type_.name in {"Int", "Boolean"}:
        return {"Int": "1", "Boolean": "true"}[type_.name]
    return {"ID": f'"{account_id}"', "DateTime": '"2030-01-01T00:00:00Z"'}.get(type_.name, '"x"')


def told(answer: dict[str, Any]) -> tuple[Any, list[Any]]:
    """The data, and the codes of what was refused."""
    return answer.get("data"), [error["extensions"]["code"] for error in answer.get("errors", [])]


async def test_of_50_at_once_with_one_pass_one_gets_in(world: World) -> None:
    olive, _ = await world.enrolled("olive"), await world.enroll(await world.sign_in("mia"))
    recovery_pass = (await issue(olive, world))["recoveryPass"]
    opened = [await world.challenge("mia") for _ in range(5)]
    answers = await asyncio.gather(
        *(
            client.do(REDEEM_PASS, token=token, recoveryPass=recovery_pass)
            for client, token in opened
            for _ in range(AT_ONCE // len(opened))
        )
    )
    outcomes = Counter(answer["__typename"] for answer in answers)
    assert outcomes["RecoverySession"] == 1
    assert set(outcomes) <= {"RecoverySession", "RecoveryPassExpired", "ChallengeExpired", "TooManyAttempts"}
    assert len(await world.events("RECOVERY_PASS_USED")) == 1
    (token,) = [answer["sessionToken"] for answer in answers if "sessionToken" in answer]
    winner = world.client()
    winner.token = token
    new = await begun(winner)
    assert (await winner.do(REPLACE, code=await new.code(-1)))["__typename"] == "AuthenticatorReplaced"


@pytest.mark.parametrize("gone", ["expired", "replaced", "demoted", "signed in by the app", "reset"])
async def test_a_pass_holds_only_while_it_should(world: World, gone: str) -> None:
    olive, adam = await world.enrolled("olive"), await world.enrolled("adam")
    old = await world.enroll(await world.sign_in("mia"))
    recovery_pass = (await issue(adam, world))["recoveryPass"]
    if gone == "expired":
        await world.database.execute("UPDATE recovery_passes SET expires_at = now()")
    elif gone == "replaced":
        assert (await issue(olive, world))["recoveryPass"] != recovery_pass
    elif gone == "demoted":
        demote = "UPDATE staff SET role = 'MEMBER' WHERE user_id = $1"
        await world.database.execute(demote, await world.user_id("adam"))
    elif gone == "signed in by the app":
        other, token = await world.challenge("mia")
        assert (await other.do(COMPLETE, token=token, code={"totp": await old.code()}))["__typename"] == "SignedIn"
    else:
        await olive.do(RESET, account=str(world.account_id), staff=str(await world.staff_id("mia")))
        await world.enroll(await world.sign_in("mia"))
    _, answer = await redeem(world, recovery_pass)
    assert answer["__typename"] == "RecoveryPassExpired"
    assert await world.events("RECOVERY_PASS_USED") == []


async def test_the_real_app_ends_a_session_that_a_pass_has_started(world: World) -> None:
    _, thief, old = await recovering(world)
    new = await begun(thief)
    mia, token = await world.challenge("mia")
    assert (await mia.do(COMPLETE, token=token, code={"totp": await old.code()}))["__typename"] == "SignedIn"
    assert await thief.refusal(REPLACE, code=await new.code()) == "UNAUTHENTICATED"


async def test_wrong_codes_that_closed_her_code_entry_keep_nobody_from_replacing_it_by_a_pass(world: World) -> None:
    olive, _ = await world.enrolled("olive"), await world.enroll(await world.sign_in("mia"))
    for _ in range(3):
        thief, token = await world.challenge("mia")
        answers = [await thief.do(COMPLETE, token=token, code={"totp": "000000"}) for _ in range(4)]
    assert answers[-1]["__typename"] == "TooManyAttempts"
    mia, _ = await redeem(world, (await issue(olive, world))["recoveryPass"])
    new = await begun(mia)
    assert (await mia.do(REPLACE, code=await new.code(-1)))["__typename"] == "AuthenticatorReplaced"
    other, token = await world.challenge("mia")  # what was guessed at is gone, so nothing is closed any more
    assert (await other.do(COMPLETE, token=token, code={"totp": await new.code()}))["__typename"] == "SignedIn"


async def test_ten_wrong_first_codes_close_the_session_of_a_pass(world: World) -> None:
    _, mia, old = await recovering(world)
    new = await begun(mia)
    answers = [await mia.do(REPLACE, code="000000") for _ in range(10)]
    assert {answer["__typename"] for answer in answers} == {"InvalidCode"}
    assert (await mia.do(REPLACE, code=await new.code()))["__typename"] == "TooManyAttempts"
    other, token = await world.challenge("mia")
    assert (await other.do(COMPLETE, token=token, code={"totp": await old.code()}))["__typename"] == "SignedIn"


async def test_a_code_of_the_app_within_a_session_ends_neither_a_pass_nor_what_one_has_started(world: World) -> None:
    olive, desk = await world.enrolled("olive"), await world.sign_in("mia")
    app = await world.enroll(desk)
    elsewhere, _ = await redeem(world, (await issue(olive, world))["recoveryPass"])
    second = (await issue(olive, world))["recoveryPass"]
    assert (await desk.do(PROVE, code=await app.code()))["__typename"] == "MfaProved"
    await begun(elsewhere)
    _, answer = await redeem(world, second)
    assert answer["__typename"] == "RecoverySession"


@pytest.mark.parametrize(
    ("who", "whom", "outcome"),
    [
        ("adam", "olive", "NotPermitted"),
        ("olive", "olive", "NotPermitted"),
        ("mia", "adam", "NOT_FOUND"),
        ("sam", "mia", "NOT_FOUND"),
        ("sue", "mia", "NotPermitted"),
        (None, "mia", "UNAUTHENTICATED"),
    ],
)
async def test_nobody_gives_a_pass_who_may_not_reset(world: World, who: str | None, whom: str, outcome: str) -> None:
    await world.let_have_mfa(whom)
    if who not in {None, whom}:
        await world.database.execute("DELETE FROM factors WHERE user_id = $1", await world.user_id(who or ""))
        client = await world.enrolled(who or "")
    elif who == whom:
        await world.database.execute("DELETE FROM factors WHERE user_id = $1", await world.user_id(whom))
        client = await world.enrolled(whom)
    else:
        client = world.client()
    answer = await client.raw(
        ISSUE_PASS, account=str(world.account_id), staff=str(await world.staff_id(whom)), reason=REASON
    )
    refused = [error["extensions"]["code"] for error in answer.get("errors", [])]
    assert (refused or [answer["data"]["issueRecoveryPass"]["__typename"]]) == [outcome]
    assert await world.database.fetchval("SELECT count(*) FROM recovery_passes") == 0
    assert await world.events("RECOVERY_PASS_ISSUED") == []


async def test_a_pass_asks_for_a_fresh_second_factor_a_reason_and_somebody_enrolled(world: World) -> None:
    olive = await world.enrolled("olive")
    assert (await issue(olive, world))["__typename"] == "StaffMfaNotEnabled"
    await world.enroll(await world.sign_in("mia"))
    assert (await issue(olive, world, reason=" "))["__typename"] == "InvalidInput"
    assert (await issue(olive, world, reason="x" * 501))["__typename"] == "InvalidInput"
    await world.database.execute("UPDATE sessions SET second_factor_at = now() - interval '16 minutes'")
    staff = str(await world.staff_id("mia"))
    refused = await olive.refusal(ISSUE_PASS, account=str(world.account_id), staff=staff, reason=REASON)
    assert refused == "REAUTHENTICATION_REQUIRED"
    assert await world.events("RECOVERY_PASS_ISSUED") == []


@pytest.mark.parametrize("over", ["expires_at = now()", "attempts = 5"])
async def test_a_challenge_that_is_over_redeems_no_pass_and_costs_none(world: World, over: str) -> None:
    olive = await world.enrolled("olive")
    await world.enroll(await world.sign_in("mia"))
    recovery_pass = (await issue(olive, world))["recoveryPass"]
    client, token = await world.challenge("mia")
    await world.database.execute(f"UPDATE challenges SET {over}")
    answer = await client.do(REDEEM_PASS, token=token, recoveryPass=recovery_pass)
    assert answer["__typename"] == "ChallengeExpired"
    assert (await redeem(world, recovery_pass))[1]["__typename"] == "RecoverySession"


async def test_a_pass_is_its_persons_alone_and_a_wrong_one_costs_them_no_try(world: World) -> None:
    olive, adam = await world.enrolled("olive"), await world.enrolled("adam")
    await world.enroll(await world.sign_in("mia"))
    recovery_pass = (await issue(olive, world))["recoveryPass"]
    for wrong in (recovery_pass + "x", "gh_r_" + "x" * 43, "", "gh_r_" + "é" * 200):
        assert (await redeem(world, wrong))[1]["__typename"] == "RecoveryPassExpired"
    assert (await redeem(world, recovery_pass, "adam"))[1]["__typename"] == "RecoveryPassExpired"
    assert await adam.ask(VIEWER_EMAIL) == {"viewer": {"email": email("adam")}}
    assert (await redeem(world, recovery_pass))[1]["__typename"] == "RecoverySession"
    assert (await redeem(world, recovery_pass))[1]["__typename"] == "RecoveryPassExpired"


async def test_a_whole_session_still_needs_a_code_to_replace_the_authenticator(world: World) -> None:
    assert await (await world.enrolled("mia")).refusal(BEGIN_RECOVERY) == "BAD_USER_INPUT"
