"""Random documents of a schema."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
    is_abstract_type,
    is_composite_type,
)
from strawberry import Schema

from server.transport.leaves import DEFINITION

DEEPEST = 5
DIRECTIVES = [" @include(if: $yes)", " @skip(if: $yes)", " @skip(if: $no)", " @include(if: $no) @skip(if: $yes)"]
SCALARS: dict[str, Any] = {
    "ID": "00000000-0000-0000-0000-000000000001",
    "String": "text",
    "Int": 7,
    "Float": 0.5,
    "Boolean": True,
    "DateTime": datetime(2026, 11, 25, tzinfo=UTC),
}


def plain_query(chance: random.Random, schema: Schema) -> str:
    """A query of fields and values alone, some under a name of their own: mostly valid."""
    root, writer = schema._schema.query_type, Writer(chance, schema)
    if chance.random() < 0.5:
        return f"{{ viewer {_fields_of(schema._schema.type_map['Viewer'], writer, 3)} }}"
    return f"{_fields_of(root, writer, 4)}"


def _fields_of(kind: Any, writer: Writer, depth: int) -> str:
    chance, fields = writer.chance, getattr(kind, "fields", {})
    parts = []
    for name in chance.sample(sorted(fields), min(2, len(fields))) if depth else []:
        below = get_named_type(fields[name].type)
        given = " ".join(
            f"{key}: {writer.literal(arg.type)}" for key, arg in fields[name].args.items() if writer.given(arg)
        )
        asked = _fields_of(below, writer, depth - 1) if is_composite_type(below) else ""
        parts.append(f"{chance.choice(['', '', '', 'a: '])}{name}{f'({given})' if given else ''} {asked}")
    return " ".join(["{ __typename", *parts, "}"])


class Writer:
    """Writes a random operation."""

    def __init__(self, chance: random.Random, schema: Schema) -> None:
        self.chance = chance
        self.schema = schema._schema
        self.aliases = 0
        self.fragments: list[str] = []

    def document(self) -> str:
        kind = self.chance.choice(["query", "query", "mutation"])
        root = self.schema.query_type if kind == "query" else self.schema.mutation_type
        parts = [
            "at: __typename @include(if: $yes)",
            "not: __typename @skip(if: $no)",
            self.selection(root, DEEPEST)[1:-1],
        ]
        if kind == "query" and self.chance.random() < 0.3:
            types = self.schema.type_map
            parts += ["__schema", self.selection(types["__Schema"], 3)]
            parts += ['__type(name: "Viewer")', self.selection(types["__Type"], 2)]
        if self.chance.random() < 0.3:  # an operation that takes nothing, of one field or of many
            own = parts[2:3] if self.chance.random() < 0.7 else parts
            text = " ".join([f"{kind} {{", *own, "}", *self.fragments])
            return text.replace("$yes", "true").replace("$no", "false")
        variables = "($yes: Boolean = true, $no: Boolean = false)"
        return " ".join([f"{kind} {variables} {{", *parts, "}", *self.fragments])

    def selection(self, kind: Any, depth: int) -> str:
        return "{ " + " ".join(self.part(kind, depth) for _ in range(self.chance.randint(1, 5))) + " }"

    def part(self, kind: Any, depth: int) -> str:
        directive = self.chance.choice(["", "", "", "", *DIRECTIVES])
        fields = getattr(kind, "fields", {})
        leaves = [name for name, field in fields.items() if not is_composite_type(get_named_type(field.type))]
        chance = self.chance.random()
        if chance < 0.1 or not (leaves if not depth else fields or depth):
            return "__typename"
        if is_abstract_type(kind) and (chance < 0.6 or not fields) and depth:
            narrower = self.chance.choice(self.schema.get_possible_types(kind))
            return f"... on {narrower.name}{directive} {self.selection(narrower, depth - 1)}"
        if not fields:
            return "__typename"
        if chance < 0.2 and depth:
            self.fragments.append("")
            number = len(self.fragments) - 1
            self.fragments[number] = f"fragment F{number} on {kind.name} {self.selection(kind, depth - 1)}"
            return f"...F{number}{directive}"
        name = self.chance.choice(list(fields) if depth else leaves)
        field = fields[name]
        arguments = " ".join(f"{key}: {self.literal(arg.type)}" for key, arg in field.args.items() if self.given(arg))
        below = get_named_type(field.type)
        inner = f" {self.selection(below, depth - 1)}" if is_composite_type(below) else ""
        self.aliases += 1
        alias = f"a{self.aliases}: " if arguments or inner or self.chance.random() < 0.3 else ""
        return f"{alias}{name}{f'({arguments})' if arguments else ''}{directive}{inner}"

    def given(self, argument: GraphQLArgument | GraphQLInputField) -> bool:
        return isinstance(argument.type, GraphQLNonNull) or self.chance.random() < 0.3

    def literal(self, kind: Any) -> str:
        if isinstance(kind, GraphQLNonNull):
            return self.literal(kind.of_type)
        if isinstance(kind, GraphQLList):
            return f"[{self.literal(kind.of_type)}]"
        if isinstance(kind, GraphQLEnumType):
            return str(self.chance.choice(list(kind.values)))
        if isinstance(kind, GraphQLInputObjectType):
            fields = list(kind.fields.items())
            chosen = fields[:1] if kind.extensions[DEFINITION].is_one_of else [f for f in fields if self.given(f[1])]
            return "{" + " ".join(f"{name}: {self.literal(field.type)}" for name, field in chosen) + "}"
        literals = {"Int": "7", "Float": "0.5", "Boolean": "true", "DateTime": '"2026-11-25T00:00:00Z"'}
        return literals.get(kind.name, f'"{SCALARS["ID"]}"')
