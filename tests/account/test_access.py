"""Roles × operations, as one table; and the gate, over the whole schema."""

from __future__ import annotations

import pytest
from graphql import (
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    is_composite_type,
    is_leaf_type,
)

from schema.roots import build
from schema.services import FOR_PEOPLE_TOO, RIGHTS
from tests.account.acts import reset, save
from tests.account.operations import IS_SUPER_ADMIN, POLICY_BY_MEMBERSHIP
from tests.client import Client
from tests.operations import (
    ACCOUNT,
    ACCOUNT_NAME,
    AUDIT,
    BEGIN,
    IMPACT,
    POLICY,
    PROGRESS,
    REMIND,
    RESET,
    ROSTER,
    SIGN_OUT,
    UPDATE,
)
from tests.people import World

OK, MISSING, UNAUTHENTICATED, NOT_PERMITTED = "OK", "NOT_FOUND", "UNAUTHENTICATED", "NotPermitted"
READS = {"policy": POLICY, "impact": IMPACT, "progress": PROGRESS, "roster": ROSTER, "audit": AUDIT}
WRITES = {"update": UPDATE, "reset": RESET, "remind": REMIND}
TABLE = [
    # who, the account itself, its security page, its changes
    ("olive", OK, OK, OK),
    ("adam", OK, OK, OK),
    ("mia", OK, MISSING, MISSING),
    ("petra", MISSING, MISSING, MISSING),
    ("sue", OK, OK, NOT_PERMITTED),
    ("sam", MISSING, MISSING, MISSING),
    (None, UNAUTHENTICATED, UNAUTHENTICATED, UNAUTHENTICATED),
]


async def outcome(client: Client, operation: str, world: World) -> str:
    """OK, the refusal's code, or the failure's type."""
    variables = {"account": str(world.account_id), "require": True, "staff": str(await world.staff_id("mia"))}
    if operation is REMIND:
        variables["staff"] = [variables["staff"]]
    asked = {name: value for name, value in variables.items() if f"${name}:" in operation}
    body = await client.raw(operation, **asked)
    if body.get("errors"):
        return str(body["errors"][0]["extensions"]["code"])
    (value,) = body["data"].values()
    kind = (value or {}).get("__typename", OK)
    return kind if kind == NOT_PERMITTED else OK


@pytest.mark.parametrize(("name", "account", "reading", "changing"), TABLE)
async def test_who_may_do_what(world: World, name: str | None, account: str, reading: str, changing: str) -> None:
    client = world.client()
    if name:
        client = await (world.sign_in if name == "petra" else world.enrolled)(name)
    assert await outcome(client, ACCOUNT, world) == account
    assert {what: await outcome(client, query, world) for what, query in READS.items()} == dict.fromkeys(READS, reading)
    before = len(await world.events("POLICY_ENABLED", "MFA_RESET", "GRACE_REMINDER_SENT"))
    assert {what: await outcome(client, op, world) for what, op in WRITES.items()} == dict.fromkeys(WRITES, changing)
    if changing != OK:
        assert len(await world.events("POLICY_ENABLED", "MFA_RESET", "GRACE_REMINDER_SENT")) == before


@pytest.mark.parametrize("identifier", ["", "nonsense", "00000000-0000-0000-0000-000000000000", "x" * 3000])
@pytest.mark.parametrize("name", ["olive", "sue"])
async def test_an_account_that_is_not_there_is_not_found(world: World, name: str, identifier: str) -> None:
    client = await world.enrolled(name)
    assert await client.refusal(POLICY, account=identifier) == MISSING
    assert await client.refusal(UPDATE, account=identifier, require=True) == MISSING


@pytest.mark.parametrize("identifier", ["", "nonsense"])
async def test_what_cannot_be_an_id_is_treated_as_one_that_nothing_has(world: World, identifier: str) -> None:
    stranger, sue, olive = world.client(), await world.enrolled("sue"), await world.enrolled("olive")
    assert await stranger.refusal(POLICY, account=identifier) == UNAUTHENTICATED
    assert await stranger.refusal(UPDATE, account=identifier, require=True) == UNAUTHENTICATED
    assert await stranger.refusal(RESET, account=str(world.account_id), staff=identifier) == UNAUTHENTICATED
    assert (await sue.do(RESET, account=str(world.account_id), staff=identifier))["__typename"] == NOT_PERMITTED
    assert await olive.refusal(RESET, account=str(world.account_id), staff=identifier) == MISSING


async def test_a_members_own_membership_does_not_open_the_page(world: World) -> None:
    mia = await world.sign_in("mia")
    body = await mia.raw(POLICY_BY_MEMBERSHIP)
    assert body["errors"][0]["extensions"]["code"] == MISSING
    (membership,) = body["data"]["viewer"]["memberships"]
    assert membership == {"role": "MEMBER", "account": {"name": "Agency", "securityPolicy": None}}


async def test_a_demotion_shuts_the_page_at_the_next_request(world: World) -> None:
    adam = await world.sign_in("adam")
    await adam.ask(POLICY, account=str(world.account_id))
    await world.database.execute("UPDATE staff SET role = 'MEMBER' WHERE email LIKE 'adam@%'")
    assert await adam.refusal(POLICY, account=str(world.account_id)) == MISSING


@pytest.mark.parametrize("why", ["deadline", "reset"])
async def test_nothing_of_the_account_answers_a_blocked_person(world: World, why: str) -> None:
    """Every field of every account that any query reaches, and every change of the account."""
    olive, adam = await world.sign_in("olive"), await world.sign_in("adam")
    if why == "deadline":
        await save(olive, world, True, 0)
    else:
        await world.enroll(olive)
        await world.enroll(adam)
        await reset(olive, world, "adam")
        adam = await world.sign_in("adam")

    reached = 0
    for path, selection in account_fields(str(world.account_id)):
        body = await adam.raw(f"{{ {selection} }}")
        codes = {error["extensions"]["code"] for error in body.get("errors", [])}
        if path in OPEN_TO_THE_BLOCKED:
            assert codes == set(), path
        elif body["data"] and "mfaNotice" in path and why == "reset":
            continue  # after a reset the notice names no account
        else:
            assert codes == {"MFA_ENROLLMENT_REQUIRED"}, path
        reached += 1
    assert reached > 8

    for operation in WRITES.values():
        assert await outcome(adam, operation, world) == "MFA_ENROLLMENT_REQUIRED"
    assert (await adam.do(BEGIN))["__typename"] == "MfaEnrollment"
    assert (await adam.do(SIGN_OUT)) == {"ok": True}


# Reading `viewer` always works, and so the names of its accounts.
OPEN_TO_THE_BLOCKED = {
    "viewer.memberships.account.id",
    "viewer.memberships.account.name",
    "viewer.mfaNotice.account.id",
    "viewer.mfaNotice.account.name",
}


def account_fields(account_id: str) -> list[tuple[str, str]]:
    """Each way from the query root to a field of an account: its path, and a selection of just that."""
    schema = build_schema(build().as_str())
    arguments = {
        "id": f'id: "{account_id}"',
        "requireMfa": "requireMfa: true",
        "staffId": 'staffId: "00000000-0000-0000-0000-000000000000"',
    }
    found: list[tuple[str, str]] = []

    def leaf_selection(type_: object) -> str:
        named = get_named_type(type_)  # type: ignore[call-overload]
        return "" if is_leaf_type(named) else " { __typename }"

    def walk(type_: GraphQLObjectType, path: tuple[str, ...], opened: str, closed: str) -> None:
        for name, field in type_.fields.items():
            if not path and name in RIGHTS.keys() - FOR_PEOPLE_TOO:
                continue
            named = get_named_type(field.type)
            needed = [arguments[a] for a, arg in field.args.items() if isinstance(arg.type, GraphQLNonNull)]
            call = f"{name}({', '.join(needed)})" if needed else name
            if type_.name == "Account":
                found.append((".".join((*path, name)), f"{opened}{call}{leaf_selection(field.type)}{closed}"))
            elif is_composite_type(named) and not isinstance(named, GraphQLUnionType) and len(path) < 4:
                assert isinstance(named, GraphQLObjectType)
                walk(named, (*path, name), f"{opened}{call} {{ ", f" }}{closed}")

    assert schema.query_type is not None
    walk(schema.query_type, (), "", "")
    return found


async def test_a_platform_operator_views_nothing_before_mfa_is_on(world: World) -> None:
    sue = await world.sign_in("sue")
    for query in (ACCOUNT_NAME, *READS.values()):
        assert await outcome(sue, query, world) == "MFA_ENROLLMENT_REQUIRED"
    assert (await sue.ask(IS_SUPER_ADMIN))["viewer"] == {"isSuperAdmin": True}
    await world.enroll(sue)
    for query in (ACCOUNT_NAME, *READS.values()):
        assert await outcome(sue, query, world) == OK
