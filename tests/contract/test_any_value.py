"""Whatever is given for any argument or field of an input, the answer is no fault of ours."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from copy import deepcopy
from itertools import islice, pairwise
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    is_leaf_type,
)

from rules.tokens import SESSION_PREFIX, TOKEN_BYTES, issue
from schema.idempotency import KEY
from schema.services import FOR_PEOPLE_TOO, RIGHTS
from tests.client import Client
from tests.mutations import MUTATIONS, SCHEMA, known_things, value_of
from tests.people import World
from tests.service.operations import backend

TEXTS = [
    "",
    "\u202egnitset\u202c \U0001d4b3" * 30,
    "x" * 20_000,
    "{0}{actor}%s%(x)s",
    "9" * 30,
    "{urn:uuid:00000000-0000-0000-0000-000000000000}",
]
# What is of another type, or no text at all, is refused before any field sees it: tests/transport has that.
VALUES: dict[str, list[object]] = {
    "String": [*TEXTS],
    "ID": [*TEXTS, 2**70],
    "DateTime": ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"],
    "Int": [-1, 0, 2**31 - 1, -(2**31)],
}
AT_ONCE = 5
Path = tuple[str | int, ...]
OF_SERVICES = RIGHTS.keys() - FOR_PEOPLE_TOO


def places(type_: object, path: Path) -> Iterator[tuple[Path, str]]:
    """Where in a value of this type there is a scalar, given or not, and of which kind."""
    if isinstance(type_, GraphQLNonNull):
        yield from places(type_.of_type, path)
    elif isinstance(type_, GraphQLList):
        yield from places(type_.of_type, (*path, 0))
    elif isinstance(type_, GraphQLInputObjectType):
        for name, field in type_.fields.items():
            if name != KEY:  # the same everywhere: tests/idempotency has it
                yield from places(field.type, (*path, name))
    elif str(type_) in VALUES:
        yield path, str(type_)


def put(values: Any, path: Path, value: object) -> None:
    """Put the value there, making what leads to it."""
    for step, following in pairwise(path):
        made: Any = [None] if following == 0 else {}
        if isinstance(values, list):
            values[0] = values[0] if isinstance(values[0], type(made)) else made
        elif not isinstance(values.get(step), type(made)):
            values[step] = made
        values = values[step]
    values[path[-1]] = value


def batched(cases: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """As many as one document may ask for."""
    while batch := list(islice(cases, AT_ONCE)):
        yield batch


def cases(arguments: dict[str, GraphQLArgument], known: dict[str, object]) -> Iterator[dict[str, Any]]:
    """Something sound for all that is required, and in one place something else."""
    sound = {name: value_of(argument.type, name, known) for name, argument in arguments.items() if name != KEY}
    for name in sound:
        for path, kind in places(arguments[name].type, (name,)):
            for value in VALUES[kind]:
                given = deepcopy(sound)
                put(given, path, value)
                yield given


def asked(field: GraphQLField, name: str, given: list[dict[str, Any]], told: str) -> tuple[str, str, dict[str, Any]]:
    """The field with each of these arguments, under an alias of its own: its variables, its text and their values."""
    declared, fields, variables = [], [], {}
    for number, values in enumerate(given):
        for each, value in values.items():
            declared.append(f"${each}{number}: {field.args[each].type}")
            variables[f"{each}{number}"] = value
        passed = ", ".join(f"{each}: ${each}{number}" for each in values)
        fields.append(f"a{number}: {name}({passed}) {told}")
    return ", ".join(declared), " ".join(fields), variables


async def sign_in_again(world: World, client: Client, name: str) -> None:
    """Let the client go on in a new session, with every proof fresh: what was asked before may have ended the last."""
    client.token, token_hash = issue(SESSION_PREFIX, secrets.token_bytes(TOKEN_BYTES))
    await world.database.execute(
        "INSERT INTO sessions (user_id, token_hash, password_at, second_factor_at, expires_at) "
        "VALUES ($1, $2, now(), now(), now() + interval '1 hour')",
        await world.user_id(name),
        token_hash,
    )


async def faults(client: Client, query: str, variables: dict[str, Any]) -> list[str]:
    """What is answered as a fault of ours, and where."""
    answer = await client.http.post(
        "/graphql",
        content=json.dumps({"query": query, "variables": variables}),
        headers={"content-type": "application/json", "authorization": f"Bearer {client.token}"},
    )
    assert answer.status_code < 500, query
    errors = answer.json().get("errors", [])
    return [f"{each['path']} {query}" for each in errors if each["extensions"]["code"] == "INTERNAL_SERVER_ERROR"]


async def test_of_every_mutation(world: World) -> None:
    known, service, olive = await known_things(world), await backend(world), await world.enrolled("olive")
    found = []
    for name, field in MUTATIONS.items():
        client = service if name in OF_SERVICES else olive
        for given in batched(cases(field.args, known)):
            await sign_in_again(world, olive, "olive")
            declared, fields, variables = asked(field, name, given, "{ __typename }")
            found += await faults(client, f"mutation ({declared}) {{ {fields} }}", variables)
    assert found == []


def told(type_: GraphQLOutputType, depth: int = 3) -> str:
    """All that the type tells without being asked for more, so deep."""
    named = get_named_type(type_)
    if not isinstance(named, GraphQLObjectType):
        return ""
    plain = {name: field.type for name, field in named.fields.items() if not field.args}
    below = {name: told(each, depth - 1) if depth else "" for name, each in plain.items()}
    names = [
        f"{name} {below[name]}" for name, each in plain.items() if below[name] or is_leaf_type(get_named_type(each))
    ]
    return f"{{ __typename {' '.join(names)} }}"


async def test_of_every_field_of_an_account(world: World) -> None:
    known, olive, account = await known_things(world), await world.enrolled("olive"), SCHEMA.type_map["Account"]
    assert isinstance(account, GraphQLObjectType)
    found = []
    for name, field in account.fields.items():
        for given in batched(cases(field.args, known)):
            declared, fields, variables = asked(field, name, given, told(field.type))
            query = f"query ($id: ID!, {declared}) {{ account(id: $id) {{ {fields} }} }}"
            found += await faults(olive, query, variables | {"id": str(world.account_id)})
    assert found == []
