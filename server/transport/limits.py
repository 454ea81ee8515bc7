"""How large a document may be, measured before any rule of validation looks at it.

Fields are first counted with a memo for each fragment, so that fragments which double each other cannot make it slow,
and the expanded document is walked only when that is known to be small.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)

from server.transport import introspection
from server.transport.bounds import SIGNED_IN, STRANGER, Bounds, TooLarge
from server.transport.sizes import size_of

MAX_DEPTH = 12
MAX_INTROSPECTION_DEPTH = 32
MOST_MIXED = 1_500
# Of what the largest introspection that clients send costs.
MOST_INTROSPECTION = 1.5


class _Placed(NamedTuple):
    field: FieldNode
    owner: GraphQLNamedType | None


class Measures:
    """Measures documents of one schema.

    Depth counts nested fields. A field costs 1, times the page size for all that stands below a list. Fields are
    counted as executed, with every fragment spread in place.
    """

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self.sizes = introspection.list_sizes(schema)

    @cached_property
    def most_introspection(self) -> float:
        """What introspection may cost."""
        measured = _Measured(self, whole := introspection.whole_schema(), SIGNED_IN)
        return MOST_INTROSPECTION * measured.cost_of(_definitions(whole)[0])

    def check(self, document: DocumentNode, bounds: Bounds) -> float:
        """The cost of the dearest definition, used or not: all rules look at all of them. Raises TooLarge."""
        if len(document.definitions) > bounds.definitions:
            raise TooLarge(f"The document has more than {bounds.definitions} operations and fragments.")
        measured = _Measured(self, document, bounds)
        measured.count_all()
        dearest = 0.0
        for definition in _definitions(document):
            cost = measured.cost_of(definition)
            most = self.most_introspection if _introspects(self.schema, definition) else bounds.cost
            # Beside other fields it would be answered on the event loop.
            if bounds is STRANGER and measured.introspected and not _introspects(self.schema, definition):
                most = MOST_MIXED
            if cost > most:
                raise TooLarge(f"The operation costs more than {int(most):,}: {bounds.hint}.")
            dearest = max(dearest, cost)
        return dearest


class _Measured:
    """One document while it is measured."""

    def __init__(self, measures: Measures, document: DocumentNode, bounds: Bounds) -> None:
        self.schema = measures.schema
        self.sizes = measures.sizes
        self.document = document
        self.bounds = bounds
        self.fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        self.field_counts: dict[str, int] = {}
        self.aliases = 0
        self.introspected: set[str] = set()

    def count_all(self) -> None:
        """Raise TooLarge when there are too many fields to look at each."""
        total = 0
        for definition in _definitions(self.document):
            total += self._count(definition.selection_set, ())
            if total > self.bounds.fields:
                raise TooLarge(f"The document has more than {self.bounds.fields:,} fields.")

    def cost_of(self, definition: OperationDefinitionNode | FragmentDefinitionNode) -> float:
        """The cost of one definition. Raises TooLarge for its depth, its aliases and its repetitions."""
        self.aliases = 0
        self.introspected = set()
        return self._cost(self._root(definition), [definition.selection_set], 1)

    def _root(self, definition: OperationDefinitionNode | FragmentDefinitionNode) -> GraphQLNamedType | None:
        if isinstance(definition, OperationDefinitionNode):
            return self.schema.get_root_type(definition.operation)
        return self.schema.get_type(definition.type_condition.name.value)

    def _count(self, selections: SelectionSetNode, open_fragments: tuple[str, ...]) -> int:
        total = 0
        for selection in selections.selections:
            if isinstance(selection, FragmentSpreadNode):
                total += self._count_fragment(selection.name.value, open_fragments)
            elif isinstance(selection, FieldNode | InlineFragmentNode):
                total += isinstance(selection, FieldNode)
                if selection.selection_set:
                    total += self._count(selection.selection_set, open_fragments)
        return min(total, self.bounds.fields + 1)

    def _count_fragment(self, name: str, open_fragments: tuple[str, ...]) -> int:
        if name in open_fragments:
            raise TooLarge(f"Cannot spread fragment '{name}' within itself.")
        if name not in self.field_counts:
            fragment = self.fragments.get(name)
            self.field_counts[name] = (
                # One more than its fields, so that spreads of nothing count too.
                1 + self._count(fragment.selection_set, (*open_fragments, name)) if fragment else 0
            )
        return self.field_counts[name]

    def _cost(self, parent: GraphQLNamedType | None, selections: list[SelectionSetNode], depth: int) -> float:
        """The cost of selections that the executor merges, as it merges them."""
        merged: dict[str, list[_Placed]] = {}
        for placed in (each for selection in selections for each in self._fields(selection, parent)):
            field = placed.field
            merged.setdefault(field.alias.value if field.alias else field.name.value, []).append(placed)
            self._count_alias(field)
        cost = 0.0
        for fields in merged.values():
            if len(fields) > self.bounds.repeats:
                raise TooLarge(f"A field is repeated more than {self.bounds.repeats} times in one place.")
            self._count_introspection(fields[0].field.name.value)
            cost += 1 + self._cost_below(fields, depth)
        return cost

    def _cost_below(self, fields: list[_Placed], depth: int) -> float:
        field, owner = fields[0]
        # The standard introspection query is deeper than anything that our own types ask for.
        limit = MAX_INTROSPECTION_DEPTH if introspection.is_introspective(owner) else MAX_DEPTH
        if depth > limit:
            raise TooLarge(f"The operation is more than {limit} fields deep.")
        below = [each.field.selection_set for each in fields if each.field.selection_set]
        if not below:
            return 0
        definition = self._definition(owner, field)
        parent = get_named_type(definition.type) if definition else None
        return self._size(owner, field, definition) * self._cost(parent, below, depth + 1)

    def _count_alias(self, field: FieldNode) -> None:
        self.aliases += field.alias is not None
        if self.aliases > self.bounds.aliases:
            raise TooLarge(f"The operation has more than {self.bounds.aliases} aliases.")

    def _count_introspection(self, name: str) -> None:
        if name in self.introspected:
            raise TooLarge(f"Ask for {name} once in a document.")
        if name in introspection.ROOTS:
            self.introspected.add(name)

    def _fields(self, selections: SelectionSetNode, parent: GraphQLNamedType | None) -> Iterator[_Placed]:
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                yield _Placed(selection, parent)
                continue
            fragment: InlineFragmentNode | FragmentDefinitionNode | None = (
                selection
                if isinstance(selection, InlineFragmentNode)
                else self.fragments.get(selection.name.value)
                if isinstance(selection, FragmentSpreadNode)
                else None
            )
            if fragment:
                condition = fragment.type_condition
                owner = self.schema.get_type(condition.name.value) if condition else parent
                yield from self._fields(fragment.selection_set, owner)

    def _definition(self, owner: GraphQLNamedType | None, field: FieldNode) -> GraphQLField | None:
        if isinstance(owner, GraphQLObjectType | GraphQLInterfaceType):
            return self.schema.get_field(owner, field.name.value)
        return None

    def _size(self, owner: GraphQLNamedType | None, field: FieldNode, definition: GraphQLField | None) -> float:
        """How many times what stands below a field is resolved."""
        if definition is None:
            return 1
        if owner is not None and (size := self.sizes.get((owner.name, field.name.value))) is not None:
            return size
        return size_of(definition, field)


def _definitions(document: DocumentNode) -> list[OperationDefinitionNode | FragmentDefinitionNode]:
    return [d for d in document.definitions if isinstance(d, OperationDefinitionNode | FragmentDefinitionNode)]


def _introspects(schema: GraphQLSchema, definition: OperationDefinitionNode | FragmentDefinitionNode) -> bool:
    if isinstance(definition, FragmentDefinitionNode):
        return introspection.is_introspective(schema.get_type(definition.type_condition.name.value))
    return introspection.only_introspects(definition)
