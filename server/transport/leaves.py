"""How a field is read that needs its object alone: a leaf, or a list of them.

Nothing is decided here: what is not plainly right is left to graphql-core, which reads it again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum
from operator import attrgetter
from types import NoneType
from typing import Any, NamedTuple, cast
from uuid import UUID

from graphql import (
    GraphQLBoolean,
    GraphQLID,
    GraphQLList,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLString,
    TypeNameMetaFieldDef,
    get_nullable_type,
    is_leaf_type,
)
from strawberry.schema.schema_converter import CustomGraphQLEnumType, GraphQLCoreConverter
from strawberry.types.field import StrawberryField

DEFINITION = GraphQLCoreConverter.DEFINITION_BACKREF
# What is of exactly these types is neither awaitable nor an exception.
PLAIN = frozenset({str, int, float, bool, datetime, UUID})
TEXT = frozenset({str})
# As graphql-core's own scalars write them.
UNCHANGED: dict[GraphQLNamedType, frozenset[type]] = {
    GraphQLString: TEXT,
    GraphQLID: TEXT,
    GraphQLBoolean: frozenset({bool}),
}
# Where a field's definition keeps how it is read: as a leaf, and at all.
STEP, READER = "gatehouse-step", "gatehouse-reader"

# Stands for what is not plainly right.
ODD = object()


class Step(NamedTuple):
    """How one field is read: of one object, or of many at once. ODD, or None of many, when it is not plainly right."""

    one: Callable[[Any], Any]
    column: Callable[[Sequence[Any]], Sequence[Any] | None]
    # The leaves that it reads of one object.
    size: int = 1


def leaf(parent_type: GraphQLObjectType, definition: Any) -> Step | None:
    """How a leaf, or a list of them, is read that needs the object alone; None where more is asked."""
    if definition is TypeNameMetaFieldDef:
        return Step(lambda _: parent_type.name, lambda sources: [parent_type.name] * len(sources))
    if STEP not in definition.extensions:
        definition.extensions[STEP] = _leaf(definition)
    step: Step | None = definition.extensions[STEP]
    return step


def _leaf(definition: Any) -> Step | None:
    read = reader(definition)
    return _written(read, definition.type) if read else None


def _written(read: Callable[[Any], Any], declared: Any) -> Step | None:
    kind = get_nullable_type(declared)
    may_be_null = kind is declared
    if isinstance(kind, GraphQLList):
        items = _written(_itself, kind.of_type)
        return _list(read, items, may_be_null) if items else None
    if not is_leaf_type(kind):
        return None
    if isinstance(kind, CustomGraphQLEnumType):
        return _member(read, kind, may_be_null)
    return _scalar(read, kind.coerce_output_value, UNCHANGED.get(kind, frozenset()), may_be_null)


def reader(definition: Any) -> Callable[[Any], Any] | None:
    """How a field is read that needs the object alone: its attribute, or a function of it; None where more is asked."""
    if READER not in definition.extensions:
        definition.extensions[READER] = _reader(definition)
    read: Callable[[Any], Any] | None = definition.extensions[READER]
    return read


def _reader(definition: Any) -> Callable[[Any], Any] | None:
    field = definition.extensions.get(DEFINITION)
    if not isinstance(field, StrawberryField):
        return None
    # Strawberry's names for the resolver of a field that is read by its default resolver and handles nothing, and of
    # one that calls a function.
    name = getattr(definition.resolve, "__name__", "")
    if name == "_get_basic_result" and field.default_resolver is getattr:
        return attrgetter(field.python_name)
    function = field.base_resolver
    if name != "_resolver" or function is None or function.is_async or field.extensions:
        return None
    takes_itself = function.self_parameter and len(function.signature.parameters) == 1
    return cast("Callable[[Any], Any]", function.wrapped_func) if takes_itself else None


def _scalar(
    read: Callable[[Any], Any], write: Callable[[Any], Any], unchanged: frozenset[type], may_be_null: bool
) -> Step:
    as_they_are = unchanged | ({NoneType} if may_be_null else frozenset())

    def one(source: Any) -> Any:
        value = read(source)
        kind = type(value)
        if kind in as_they_are:
            return value
        if kind not in PLAIN:
            return ODD
        # What is written as null would be an error.
        return written if type(written := write(value)) in PLAIN else ODD

    def column(sources: Sequence[Any]) -> list[Any] | None:
        values = list(map(read, sources))
        if as_they_are.issuperset(map(type, values)):
            return values
        if not set(map(type, values)) - as_they_are <= PLAIN:
            return None
        written = [value if type(value) in as_they_are else write(value) for value in values]
        return written if set(map(type, written)) - as_they_are <= PLAIN else None

    return Step(one, column)


def _itself(item: Any) -> Any:
    return item


def _list(read: Callable[[Any], Any], items: Step, may_be_null: bool) -> Step:
    def one(source: Any) -> Any:
        value = read(source)
        if type(value) is not list:
            return None if value is None and may_be_null else ODD
        return ODD if (written := items.column(value)) is None else written

    def column(sources: Sequence[Any]) -> list[Any] | None:
        found = [one(source) for source in sources]
        return None if any(each is ODD for each in found) else found

    return Step(one, column)


def _member(read: Callable[[Any], Any], enum: CustomGraphQLEnumType, may_be_null: bool) -> Step:
    members = cast("type[Enum]", enum.wrapped_cls)
    # By the member's own name: a member's hash is made by calls of Python.
    names = {member.name: enum.coerce_output_value(member) for member in members}
    kinds = frozenset({members, NoneType} if may_be_null else {members})

    def one(source: Any) -> Any:
        value = read(source)
        if type(value) is members:
            return names[value._name_]
        return None if value is None and may_be_null else ODD

    def column(sources: Sequence[Any]) -> list[Any] | None:
        values = list(map(read, sources))
        if not kinds.issuperset(map(type, values)):
            return None
        return [None if value is None else names[value._name_] for value in values]

    return Step(one, column)
