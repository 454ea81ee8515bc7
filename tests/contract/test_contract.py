"""The served schema against the public contract: nothing missing, renamed or loosened, everything described."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    is_introspection_type,
    is_specified_scalar_type,
    print_ast,
)
from graphql.utilities import find_breaking_changes

from schema.roots import build, possible_types

CONTRACT = Path(__file__).with_name("contract.graphql")
KEPT = Path(__file__).parents[2] / "schema" / "schema.graphql"
POSSIBLE_TYPES = KEPT.with_name("possible-types.json")


def served() -> GraphQLSchema:
    """The schema as its SDL tells it."""
    return build_schema(build().as_str())


def test_the_served_schema_holds_the_contract_whole() -> None:
    changes = find_breaking_changes(build_schema(CONTRACT.read_text()), served())
    assert [change.description for change in changes] == []


def test_what_may_be_left_out_has_the_default_of_the_contract() -> None:
    ours = dict(defaults(served()))
    contract = dict(defaults(build_schema(CONTRACT.read_text())))
    assert {name: ours[name] for name in contract} == contract
    assert contract["SignInInput.useCookie"] == "false"


def test_the_difference_would_be_seen() -> None:
    loosened = CONTRACT.read_text().replace("backupCodes: [String!]!", "backupCodes: [String!]", 1)
    assert find_breaking_changes(build_schema(CONTRACT.read_text()), build_schema(loosened)) != []


def test_the_kept_sdl_is_the_served_one() -> None:
    assert KEPT.read_text().strip() == build().as_str().strip(), "Run: uv run gatehouse schema > schema/schema.graphql"


def test_the_kept_possible_types_are_the_served_ones() -> None:
    kept = json.loads(POSSIBLE_TYPES.read_text())
    assert kept == possible_types(), "Run: uv run gatehouse schema --possible-types > schema/possible-types.json"


def test_everything_is_described() -> None:
    assert [name for name, description in described(served()) if not description] == []


def defaults(schema: GraphQLSchema) -> Iterator[tuple[str, str | None]]:
    """Each argument and input field, with its default as the SDL has it."""
    for name, type_ in schema.type_map.items():
        if is_introspection_type(type_):
            continue
        for field, definition in getattr(type_, "fields", {}).items():
            if isinstance(definition, GraphQLInputField):
                yield f"{name}.{field}", default_of(definition)
            for argument, given in getattr(definition, "args", {}).items():
                yield f"{name}.{field}({argument})", default_of(given)


def default_of(given: GraphQLArgument | GraphQLInputField) -> str | None:
    """The default as the SDL has it."""
    assert given.ast_node
    return print_ast(given.ast_node.default_value) if given.ast_node.default_value else None


def described(schema: GraphQLSchema) -> Iterator[tuple[str, str | None]]:
    """Each type, field, argument and enum value, with its description."""
    for name, type_ in schema.type_map.items():
        if is_introspection_type(type_) or is_specified_scalar_type(type_):
            continue
        yield name, type_.description
        if isinstance(type_, GraphQLEnumType):
            for value, definition in type_.values.items():
                yield f"{name}.{value}", definition.description
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for field, definition in type_.fields.items():
                yield f"{name}.{field}", definition.description
                for argument, given in getattr(definition, "args", {}).items():
                    yield f"{name}.{field}({argument})", given.description
