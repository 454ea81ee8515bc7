"""Service keys: made and revoked by operators, and able to do nothing that they were not given."""

from __future__ import annotations

import json
import re

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from rules.service_keys import Right
from schema.roots import build
from schema.services import RIGHTS
from tests.account.acts import ask_account
from tests.commands import Command
from tests.operations import AUDIT, POLICY, UPDATE
from tests.people import World
from tests.service.operations import SERVICE_SIGN_IN, SESSION, SIGN_IN_AND_BEGIN, WATCH_EMAIL, backend
from tests.watching.watch import watching

SCHEMA = build_schema(build().as_str())


def written(type_: GraphQLInputType) -> str:
    """Some value of the type, as a document has it."""
    if isinstance(type_, GraphQLNonNull):
        return written(type_.of_type)
    if isinstance(type_, GraphQLList):
        return f"[{written(type_.of_type)}]"
    if isinstance(type_, GraphQLEnumType):
        return str(next(iter(type_.values)))
    if isinstance(type_, GraphQLInputObjectType):
        fields = [name for name, field in type_.fields.items() if is_required_input_field(field)]
        fields = fields or list(type_.fields)[: 1 if type_.is_one_of else 0]
        return "{" + ", ".join(f"{name}: {written(type_.fields[name].type)}" for name in fields) + "}"
    known = {"Int": "1", "Boolean": "true", "Float": "1", "DateTime": '"2026-12-01T00:00:00Z"'}
    return known.get(str(type_), '"00000000-0000-0000-0000-000000000000"')


def asked(name: str, field: GraphQLField) -> str:
    """The field with its required arguments, and no more of its answer than a name."""
    arguments = ", ".join(f"{n}: {written(a.type)}" for n, a in field.args.items() if is_required_argument(a))
    selection = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
    return f"{name}{f'({arguments})' if arguments else ''}{selection}"


def roots() -> list[tuple[str, str]]:
    """Every query and mutation field, with a document that asks it."""
    kinds = {"query": SCHEMA.query_type, "mutation": SCHEMA.mutation_type}
    return [
        (name, f"{kind} {{ {asked(name, field)} }}")
        for kind, type_ in kinds.items()
        if isinstance(type_, GraphQLObjectType)
        for name, field in type_.fields.items()
    ]


@pytest.mark.parametrize(("name", "document"), roots(), ids=[name for name, _ in roots()])
async def test_no_root_field_answers_a_key_without_its_right(world: World, name: str, document: str) -> None:
    others = [right for right in Right if right not in RIGHTS.get(name, ())]
    client = await backend(world, *others)
    before = await world.events()
    assert await client.refusal(document) == "FORBIDDEN"
    assert await world.events() == before


@pytest.mark.parametrize("name", sorted(RIGHTS))
async def test_what_is_for_services_is_refused_to_strangers_and_wrong_keys(world: World, name: str) -> None:
    document = dict(roots())[name]
    stranger = world.client()
    stranger.token = "gh_k_" + "A" * 43
    assert await stranger.refusal(document) == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "name", ["session", "serviceSignIn", "provisionStaff", "changeStaffRole", "removeStaff", "changeEmail"]
)
async def test_what_is_only_for_services_is_refused_to_people(world: World, name: str) -> None:
    olive = await world.sign_in("olive")
    assert await olive.refusal(dict(roots())[name]) == "UNAUTHENTICATED"


async def test_subscriptions_refuse_a_service_key(world: World) -> None:
    async with watching(world, await backend(world), WATCH_EMAIL) as watch:
        with pytest.raises(RuntimeError, match="FORBIDDEN"):
            await watch.next()


@pytest.mark.parametrize("field", ["staff { nodes { email } }", "enrollmentProgress { staffCount }"])
async def test_a_service_sees_no_more_of_an_account_than_its_right(world: World, field: str) -> None:
    client = await backend(world)
    query = f"query ($id: ID!) {{ account(id: $id) {{ {field} }} }}"
    assert await client.refusal(query, id=str(world.account_id)) == "FORBIDDEN"


@pytest.mark.parametrize(("right", "query"), [(Right.POLICY, AUDIT), (Right.AUDIT, POLICY)])
async def test_one_right_is_not_the_other(world: World, right: Right, query: str) -> None:
    client = await backend(world, right)
    assert await client.refusal(query, account=str(world.account_id)) == "FORBIDDEN"


async def test_having_signed_somebody_in_a_service_acts_as_them_no_more_than_before(world: World) -> None:
    client = await backend(world)
    body = await client.raw(SIGN_IN_AND_BEGIN)
    assert body["data"] == {"serviceSignIn": {"__typename": "SignedIn"}, "beginMfaEnrollment": None}
    assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]


@pytest.mark.parametrize("prefix", ["gh_s_", "gh_c_"])
async def test_a_token_of_one_kind_is_none_of_another(world: World, prefix: str) -> None:
    service = await backend(world)
    assert service.token is not None
    other = world.client()
    other.token = prefix + service.token.removeprefix("gh_k_")
    assert await other.refusal(SESSION, token=other.token) == "UNAUTHENTICATED"
    olive = await world.sign_in("olive")
    assert olive.token is not None
    as_key = world.client()
    as_key.token = "gh_k_" + olive.token.removeprefix("gh_s_")
    assert await as_key.refusal(SESSION, token=olive.token) == "UNAUTHENTICATED"
    assert (await service.ask(SESSION, token=service.token))["session"] is None


async def test_the_policy_lives_in_code_and_applying_it_again_changes_nothing(world: World) -> None:
    client = await backend(world, Right.POLICY, name="terraform")
    wanted = {"account": str(world.account_id), "require": True, "days": 14}
    first = await client.do(UPDATE, **wanted)
    assert first["securityPolicy"]["gracePeriodDays"] == 14
    assert await client.do(UPDATE, **wanted) == first
    (event,) = await world.events("POLICY_ENABLED")
    assert (event["actor_id"], event["service_key"]) == (None, "terraform")
    assert (await ask_account(client, world, POLICY))["gracePeriodDays"] == 14


async def test_the_audit_log_shows_the_keys_name_to_owners_and_services(world: World) -> None:
    policy = await backend(world, Right.POLICY, name="terraform")
    await policy.do(UPDATE, account=str(world.account_id), require=True, days=7)
    for reader in (await world.sign_in("olive"), await backend(world, Right.AUDIT)):
        entries = (await reader.ask(AUDIT, account=str(world.account_id)))["account"]["auditLog"]["nodes"]
        (summary,) = [e["summary"] for e in entries if e["type"] == "POLICY_ENABLED"]
        assert summary.startswith("Service key terraform required MFA of all staff by ")


@pytest.mark.parametrize("query", [POLICY, AUDIT])
async def test_another_account_is_not_there_for_a_key_of_one(world: World, query: str) -> None:
    client = await backend(world, account_id=world.other_account_id)
    assert await client.refusal(query, account=str(world.account_id)) == "NOT_FOUND"
    assert await client.refusal(UPDATE, account=str(world.account_id), require=True, days=0) == "NOT_FOUND"
    assert await world.events("POLICY_ENABLED") == []


async def test_operators_make_list_and_revoke_keys(world: World, operate: Command) -> None:
    made = operate("service-keys", "create", "--name", "web", "--can", "sign-in", "--can", "audit", "--expires", "90")
    assert (made.returncode, bool(re.fullmatch(r"gh_k_[\w-]{43}\n", made.stdout))) == (0, True), made.stderr
    client = world.client()
    client.token = made.stdout.strip()
    answer = await client.do(SERVICE_SIGN_IN, input={"email": "mia@agency.example"})
    assert answer["__typename"] == "SignedIn"
    (listed,) = [json.loads(line) for line in operate("service-keys", "list", "--json").stdout.splitlines()]
    assert (listed["name"], listed["rights"], listed["account_id"]) == ("web", ["sign-in", "audit"], None)
    assert listed["last_used_at"]
    assert client.token not in operate("service-keys", "list").stdout
    assert operate("service-keys", "revoke", listed["id"]).stdout == "Service key web is revoked.\n"
    assert await client.refusal(SESSION, token="gh_s_x") == "UNAUTHENTICATED"
    assert [e["type"] for e in await world.events("SERVICE_KEY_CREATED", "SERVICE_KEY_REVOKED")] == [
        "SERVICE_KEY_CREATED",
        "SERVICE_KEY_REVOKED",
    ]
    assert await world.database.fetchval("SELECT count(*) FROM events WHERE data::text LIKE '%gh_k_%'") == 0


async def test_an_expired_key_is_none(world: World) -> None:
    client = await backend(world)
    assert (await client.ask(SESSION, token="gh_s_x"))["session"] is None
    await world.database.execute("UPDATE service_keys SET expires_at = now()")
    assert await client.refusal(SESSION, token="gh_s_x") == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--name", "web", "--can", "everything"], "'everything' is not one of"),
        (["--name", " ", "--can", "audit"], "must have 1 to 60 printable characters"),
        (["--name", "web", "--can", "scim"], "is for one account: give --account"),
        (["--name", "web", "--can", "audit", "--account", "00000000-0000-0000-0000-000000000000"], "no account with"),
        (["--name", "web"], "Missing option '--can'"),
    ],
)
async def test_what_is_no_key_is_said_and_not_made(
    world: World, operate: Command, arguments: list[str], sentence: str
) -> None:
    done = operate("service-keys", "create", *arguments)
    assert (done.returncode != 0, done.stdout) == (True, "")
    assert sentence in done.stderr
    assert await world.database.fetchval("SELECT count(*) FROM service_keys") == 0


async def test_two_keys_of_a_name_overlap_and_are_revoked_one_by_one(world: World, operate: Command) -> None:
    old, new = await backend(world), await backend(world)
    assert "2 service keys are named web" in operate("service-keys", "revoke", "web").stderr
    first = await world.database.fetchval("SELECT id FROM service_keys ORDER BY created_at LIMIT 1")
    assert operate("service-keys", "revoke", str(first)).returncode == 0
    assert await old.refusal(SESSION, token="gh_s_x") == "UNAUTHENTICATED"
    assert (await new.ask(SESSION, token="gh_s_x"))["session"] is None
    assert operate("service-keys", "revoke", "web").returncode == 0
