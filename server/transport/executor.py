"""Execution that reads objects of plain attributes in a loop: a roster page has 500 of them.

graphql-core takes some 3 microseconds and a dozen calls for each field, whatever it is. Where all fields asked of an
object are leaves that Strawberry reads as attributes, they are read here; at the first value that is not plainly right,
the object or its list is given to graphql-core after all, which reads it again and reports what is wrong. So nothing
is decided here: data and errors are graphql-core's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from enum import Enum
from functools import partial
from inspect import isawaitable
from operator import attrgetter
from types import NoneType
from typing import Any, ClassVar, NamedTuple, cast
from uuid import UUID

from graphql import (
    GraphQLBoolean,
    GraphQLID,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLString,
    TypeNameMetaFieldDef,
    get_nullable_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.pyutils import AwaitableOrValue, Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import CustomGraphQLEnumType, GraphQLCoreConverter
from strawberry.types.field import StrawberryField

# What is of exactly these types is neither awaitable nor an exception.
PLAIN = frozenset({str, int, float, bool, datetime, UUID})
TEXT = frozenset({str})
# As graphql-core's own scalars write them.
UNCHANGED: dict[GraphQLNamedType, frozenset[type]] = {
    GraphQLString: TEXT,
    GraphQLID: TEXT,
    GraphQLBoolean: frozenset({bool}),
}
# Each set of fields that @skip and @include leave is one more.
MOST_PLANNED = 200
DEFINITION = GraphQLCoreConverter.DEFINITION_BACKREF


class _Leaf(NamedTuple):
    """How one field is read from the object, and how its value is written."""

    name: str
    read: Callable[[Any], Any]
    write: Callable[[Any], Any]
    may_be_null: bool
    # Values of these types are written as they are.
    unchanged: frozenset[type] = frozenset()
    # Of an enum, whose members are written by their names.
    members: type[Enum] | None = None


# What a document's executions share; it must not outlive the document, whose nodes it knows by their identity.
Plan = dict[tuple[str, tuple[int, ...]], list[_Leaf] | None]


class PlainExecutor(StrawberryGraphQLCoreExecutionContext):
    """Strawberry's executor with that shortcut."""

    most_in_one_turn: ClassVar[int] = 100  # objects, some 10 microseconds each

    def __init__(self, *args: Any, plan: Plan | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._plan = {} if plan is None else plan
        # By the field set's identity, as graphql-core keeps its own; kept along, so that no other gets its id.
        self._kept: dict[tuple[str, int], tuple[GroupedFieldSet, list[_Leaf] | None]] = {}

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Read an object here, or else as graphql-core does."""
        leaves = self._leaves_of(parent_type, grouped_field_set)
        found = _read(leaves, [source_value]) if leaves else None
        if found is not None:
            return found[0]
        return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        items: Iterable[Any],
        position_context: Any,
    ) -> AwaitableOrValue[list[Any]]:
        """Read the objects of a list here, or else as graphql-core does."""
        if isinstance(items, list) and self.get_stream_usage(field_details_list, path) is None:
            leaves = self._leaves_of_items(item_type, field_details_list, items)
            if leaves and len(items) > self.most_in_one_turn:
                plain = partial(super().complete_iterable_value, item_type, field_details_list, info, path, items)
                return _read_in_turns(leaves, items, self.most_in_one_turn, partial(plain, position_context))
            found = _read(leaves, items) if leaves else None
            if found is not None:
                return found
        return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)

    def _leaves_of_items(
        self, item_type: GraphQLOutputType, details: FieldDetailsList, items: list[Any]
    ) -> list[_Leaf] | None:
        """The leaves asked of each item; None unless all items are objects of the one type that they can have."""
        object_type = get_nullable_type(item_type)
        if not isinstance(object_type, GraphQLObjectType) or object_type.is_type_of:
            return None
        # Introspection's own types have no definition of Strawberry's.
        origin = getattr(object_type.extensions.get(DEFINITION), "origin", None)
        if origin is None or {*map(type, items)} != {origin}:
            return None
        if issubclass(origin, Exception) or hasattr(origin, "__await__"):
            return None
        fields, deferred, _ = self.collect_subfields(object_type, details)
        return None if deferred else self._leaves_of(object_type, fields)

    def _leaves_of(self, parent_type: GraphQLObjectType, fields: GroupedFieldSet) -> list[_Leaf] | None:
        """The leaves, when the fields are nothing else."""
        key = (parent_type.name, id(fields))
        if key not in self._kept:
            is_bare = not (self.middleware_manager and self.middleware_manager.middlewares)
            self._kept[key] = fields, self._planned(parent_type, fields) if is_bare else None
        return self._kept[key][1]

    def _planned(self, parent_type: GraphQLObjectType, fields: GroupedFieldSet) -> list[_Leaf] | None:
        """The leaves by the document's own nodes, found once for all its executions."""
        key = parent_type.name, tuple([id(details[0].node) for details in fields.values()])
        if key in self._plan:
            return self._plan[key]
        leaves = [self._leaf(parent_type, name, details) for name, details in fields.items()]
        found = None if None in leaves else cast("list[_Leaf]", leaves)
        if len(self._plan) < MOST_PLANNED:
            self._plan[key] = found
        return found

    def _leaf(self, parent_type: GraphQLObjectType, name: str, details: FieldDetailsList) -> _Leaf | None:
        definition = self.schema.get_field(parent_type, details[0].node.name.value)
        if definition is TypeNameMetaFieldDef:
            return _Leaf(name, lambda _: parent_type.name, str, False, TEXT)
        # Strawberry's name for the resolver of a field that is read by its default resolver and handles nothing.
        if definition is None or getattr(definition.resolve, "__name__", "") != "_get_basic_result":
            return None
        field = definition.extensions.get(DEFINITION)
        leaf = get_nullable_type(definition.type)
        if not (isinstance(field, StrawberryField) and field.default_resolver is getattr and is_leaf_type(leaf)):
            return None
        read, may_be_null = attrgetter(field.python_name), leaf is definition.type
        if isinstance(leaf, CustomGraphQLEnumType):
            return _Leaf(
                name, read, _names(leaf).__getitem__, may_be_null, members=cast("type[Enum]", leaf.wrapped_cls)
            )
        return _Leaf(name, read, leaf.coerce_output_value, may_be_null, UNCHANGED.get(leaf, frozenset()))


def _names(enum: CustomGraphQLEnumType) -> dict[Any, str]:
    """What each member is written as, by the member's own name: a member's hash is made by calls of Python."""
    members = cast("type[Enum]", enum.wrapped_cls)
    return {member.name: enum.coerce_output_value(member) for member in members}


async def _read_in_turns(
    leaves: list[_Leaf], items: list[Any], most: int, plain: Callable[[], AwaitableOrValue[list[Any]]]
) -> list[Any]:
    """Each object's leaves, with everybody else's turn between; or else as graphql-core reads the whole list."""
    found: list[Any] = []
    for start in range(0, len(items), most):
        part = _read(leaves, items[start : start + most])
        if part is None:
            result = plain()
            return await result if isawaitable(result) else result
        found += part
        await asyncio.sleep(0)
    return found


def _read(leaves: list[_Leaf], sources: list[Any]) -> list[dict[str, Any]] | None:
    """Each object's leaves, read one column after another; None when one of them is not plainly right."""
    try:
        columns = [_column(leaf, list(map(leaf.read, sources))) for leaf in leaves]
    except Exception:
        return None
    if None in columns:
        return None
    names = [leaf.name for leaf in leaves]
    return [dict(zip(names, row, strict=True)) for row in zip(*cast("list[list[Any]]", columns), strict=True)]


def _column(leaf: _Leaf, values: list[Any]) -> list[Any] | None:
    """One leaf of all objects as it is written; None when one is not plainly right."""
    kinds = set(map(type, values))
    if leaf.may_be_null:
        kinds.discard(NoneType)
    if kinds <= leaf.unchanged:
        return values
    write = leaf.write
    if leaf.members is not None:
        if kinds != {leaf.members}:
            return None
        return [None if value is None else write(value._name_) for value in values]
    if not kinds <= PLAIN:
        return None
    written = [None if value is None else write(value) for value in values]
    kinds = set(map(type, written))
    kinds.discard(NoneType)
    # What is written as null would be an error where null is none.
    is_right = kinds <= PLAIN and all(w is not None or v is None for v, w in zip(values, written, strict=True))
    return written if is_right else None
