"""Queries of fields and plain values alone: measured, validated and planned by one walk, where each takes its own.

What holds anything else (a directive, a variable, a fragment, a list or an object as a value, two fields that answer
to one name), passes a bound or is wrong is left to those who know all of it: server.transport.limits, validation and
plans.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, cast

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    EnumValueNode,
    FieldNode,
    FloatValueNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    IntValueNode,
    OperationType,
    SelectionSetNode,
    StringValueNode,
    TypeNameMetaFieldDef,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_required_argument,
)
from graphql.execution.collect_fields import CollectedFields, FieldDetails, FieldDetailsList, GroupedFieldSet
from graphql.language import ValueNode
from graphql.type import GraphQLInputType
from graphql.utilities.validate_input_value import validate_input_literal

from server.transport.bounds import Bounds
from server.transport.graphql_request import RequestError, refuse_unusable_text
from server.transport.leaves import Step, leaf
from server.transport.limits import MAX_DEPTH
from server.transport.plans import Plan, Selection, Shape, below
from server.transport.sizes import size_of, size_unless_told

# Values that hold no others and no variable, and are not null, of which there is more to be asked.
PLAIN = (IntValueNode, FloatValueNode, StringValueNode, BooleanValueNode, EnumValueNode)


class _Known(NamedTuple):
    """A field, and what is the same wherever it is asked for."""

    definition: GraphQLField
    # The arguments that it must be given.
    wants: frozenset[str]
    # What it gives an object of, or several; None of a leaf.
    kind: GraphQLObjectType | None
    is_one: bool
    # How many times what stands below it is resolved, unless an argument says it.
    size: float
    step: Step | None


class _Other(Exception):
    """It is no such query."""


class PlainQueries:
    """Looks at the documents of one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.root = schema.query_type
        self._known: dict[str, dict[str, _Known]] = {}

    def cost(self, plan: Plan, bounds: Bounds) -> float | None:
        """What a valid query within its bounds costs, which is planned by then; None of anything else."""
        operation = plan.operation
        if self.root is None or operation is None or operation.operation is not OperationType.QUERY:
            return None
        if operation.variable_definitions or operation.description:
            return None
        walk = _Walk(self.known)
        try:
            cost, fields, selection = walk.look(self.root, operation.selection_set, 1)
        except _Other:
            return None
        if cost > bounds.cost or walk.fields > bounds.fields or walk.aliases > bounds.aliases:
            return None
        walk.shape.begin(self.root, fields, selection)
        plan.keep(operation, walk.shape)
        return cost

    def known(self, kind: GraphQLObjectType) -> Mapping[str, _Known]:
        """The fields of a type by their names."""
        if kind.name not in self._known:
            every = {**kind.fields, "__typename": TypeNameMetaFieldDef}
            known = {name: _known(kind, name, definition) for name, definition in every.items()}
            self._known[kind.name] = {name: field for name, field in known.items() if field}
        return self._known[kind.name]


def _known(owner: GraphQLObjectType, name: str, definition: GraphQLField) -> _Known | None:
    """None of a field that may give objects of several types."""
    wants = frozenset(key for key, argument in definition.args.items() if is_required_argument(argument))
    kind, size = get_named_type(definition.type), size_unless_told(definition, name)
    if is_leaf_type(kind):
        return _Known(definition, wants, None, False, size, leaf(owner, definition))
    is_one = get_nullable_type(definition.type) is kind
    return _Known(definition, wants, kind, is_one, size, None) if isinstance(kind, GraphQLObjectType) else None


def _are_right(given: Sequence[ArgumentNode], field: _Known) -> bool:
    """Whether these arguments are plain values, and what the field takes."""
    names = {argument.name.value for argument in given}
    declared = field.definition.args
    return (
        len(names) == len(given)
        and field.wants <= names <= declared.keys()
        and all(_is_right(argument.value, declared[argument.name.value].type) for argument in given)
    )


def _is_right(value: ValueNode, kind: GraphQLInputType) -> bool:
    if not isinstance(value, PLAIN):
        return False
    faults: list[GraphQLError] = []
    try:
        if isinstance(value, StringValueNode):
            refuse_unusable_text(value.value)
        validate_input_literal(value, kind, lambda fault, _: faults.append(fault), None, None, hide_suggestions=True)
    except RequestError:
        return False
    return not faults


class _Walk:
    """One document while it is looked at."""

    def __init__(self, known: Callable[[GraphQLObjectType], Mapping[str, _Known]]) -> None:
        self.known = known
        self.shape = Shape()
        self.fields = self.aliases = 0

    def look(
        self, parent: GraphQLObjectType, asked: SelectionSetNode, depth: int
    ) -> tuple[float, GroupedFieldSet, Selection | None]:
        """What these selections cost, what they ask for, and how it is read. Raises _Other."""
        if depth > MAX_DEPTH:
            raise _Other
        known, cost = self.known(parent), 0.0
        fields: GroupedFieldSet = {}
        steps: dict[str, Step] = {}
        for node in asked.selections:
            if not isinstance(node, FieldNode) or node.directives:
                raise _Other
            field, below_it = known.get(node.name.value), node.selection_set
            name = node.alias.value if node.alias else node.name.value
            if field is None or name in fields or (field.kind is None) is not (below_it is None):
                raise _Other
            if (node.arguments or field.wants) and not _are_right(node.arguments or (), field):
                raise _Other
            self.aliases += node.alias is not None
            fields[name] = details = [FieldDetails(node, None)]
            more, step = self._look_below(field, node, details, depth) if below_it else (0.0, field.step)
            cost += 1 + more
            if step:
                steps[name] = step
        if not fields:
            raise _Other
        self.fields += len(fields)
        return cost, fields, Selection(fields, steps) if steps else None

    def _look_below(
        self, field: _Known, node: FieldNode, details: FieldDetailsList, depth: int
    ) -> tuple[float, Step | None]:
        kind, asked = cast("GraphQLObjectType", field.kind), cast("SelectionSetNode", node.selection_set)
        cost, fields, selection = self.look(kind, asked, depth + 1)
        self.shape.sub_fields[kind, id(details)] = details, CollectedFields(fields, [], [])
        self.shape.selections[kind.name, id(fields)] = fields, selection
        step = below(field.definition, kind, selection) if selection and field.is_one else None
        return cost * (size_of(field.definition, node) if node.arguments else field.size), step
