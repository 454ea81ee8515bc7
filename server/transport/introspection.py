"""What introspection costs: its lists count as long as they are in this schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLNamedType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    get_introspection_query,
    parse,
)

ROOTS = frozenset({"__schema", "__type"})
# Half of all type references wrap another one.
WRAPPED = 0.5


def is_introspective(kind: GraphQLNamedType | None) -> bool:
    """Whether a type is one of introspection's own."""
    return kind is not None and kind.name.startswith("__")


def only_introspects(operation: OperationDefinitionNode) -> bool:
    """Whether no resolver of ours has a part in answering it: a query of plain introspection fields."""
    fields = operation.selection_set.selections
    names = {field.name.value if isinstance(field, FieldNode) else "" for field in fields}
    return operation.operation is OperationType.QUERY and bool(names & ROOTS) and names <= ROOTS | {"__typename"}


def list_sizes(schema: GraphQLSchema) -> Mapping[tuple[str, str], float]:
    """How many of each there are: by the introspection type and its field, in the mean."""
    types = list(schema.type_map.values())
    fields = [field for kind in types for field in _values(kind, "fields")]
    directives = schema.directives
    return {
        ("__Schema", "types"): len(types),
        ("__Schema", "directives"): len(directives),
        ("__Type", "fields"): _mean(len(_values(kind, "fields")) for kind in types),
        ("__Type", "inputFields"): _mean(len(_values(kind, "fields")) for kind in types),
        ("__Type", "enumValues"): _mean(len(_values(kind, "values")) for kind in types),
        ("__Type", "interfaces"): _mean(len(getattr(kind, "interfaces", ())) for kind in types),
        ("__Type", "possibleTypes"): _mean(len(getattr(kind, "types", ())) for kind in types),
        ("__Type", "ofType"): WRAPPED,
        ("__Field", "args"): _mean(len(_values(field, "args")) for field in fields),
        ("__Directive", "args"): _mean(len(directive.args) for directive in directives),
    }


def whole_schema() -> DocumentNode:
    """The largest introspection that clients send: graphql-js's, with every option."""
    return parse(
        get_introspection_query(
            specified_by_url=True,
            directive_is_repeatable=True,
            schema_description=True,
            input_value_deprecation=True,
            experimental_directive_deprecation=True,
            one_of=True,
            type_depth=20,
        )
    )


def _values(thing: Any, name: str) -> list[Any]:
    return list(getattr(thing, name, {}).values())


def _mean(counts: Iterable[int]) -> float:
    found = list(counts)
    return sum(found) / len(found) if found else 0.0
