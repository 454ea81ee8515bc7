"""How large a document may be: one rule that measures it before any other rule looks at it.

It first counts fields with a memo for each fragment, so that fragments which double each other cannot make it slow, and
walks the expanded document only when that is known to be small.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    ValidationContext,
    ValidationRule,
    VisitorAction,
    get_named_type,
)

from server.transport.graphql_request import RequestError, refuse_unusable_text

if TYPE_CHECKING:
    from graphql import DocumentNode, GraphQLField

MAX_TOKENS = 6_000
MAX_DEFINITIONS = 100
MAX_FIELDS = 3_000
MAX_DEPTH = 12
MAX_INTROSPECTION_DEPTH = 20
MAX_ALIASES = 120
MAX_REPEATS = 30
MAX_COST = 50_000
LARGEST_PAGE = 500
UNPAGED_LIST_SIZE = 10


class _TooLarge(Exception):
    """A limit is passed; the message is for the client."""


class _Placed(NamedTuple):
    field: FieldNode
    owner: GraphQLNamedType | None


class Limits(ValidationRule):
    """Refuses a document beyond the limits above.

    Depth counts nested fields. A field costs 1, times the page size for all that stands below a list. Fields are
    counted as executed, with every fragment spread in place.
    """

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.aliases = 0
        self.field_counts: dict[str, int] = {}

    def enter_document(self, node: DocumentNode, *_args: object) -> VisitorAction:
        """Measure every definition, whether or not it is used: the other rules look at all of them."""
        try:
            if len(node.definitions) > MAX_DEFINITIONS:
                raise _TooLarge(f"The document has more than {MAX_DEFINITIONS} operations and fragments.")
            self._measure_all(node)
        except (_TooLarge, RequestError) as error:
            self.report_error(GraphQLError(str(error)))
        return None

    def enter_string_value(self, node: StringValueNode, *_args: object) -> VisitorAction:
        """Refuse text that could not be stored."""
        try:
            refuse_unusable_text(node.value)
        except RequestError as error:
            self.report_error(GraphQLError(error.message, node))
        return None

    def _measure_all(self, document: DocumentNode) -> None:
        total = 0
        definitions = [
            d for d in document.definitions if isinstance(d, OperationDefinitionNode | FragmentDefinitionNode)
        ]
        for definition in definitions:
            total += self._count(definition.selection_set, ())
            if total > MAX_FIELDS:
                raise _TooLarge(f"The document has more than {MAX_FIELDS:,} fields.")
        for definition in definitions:
            self.aliases = 0
            if self._cost(self._root(definition), [definition.selection_set], 1) > MAX_COST:
                raise _TooLarge(f"The operation costs more than {MAX_COST:,}: ask for fewer fields or smaller pages.")

    def _root(self, definition: OperationDefinitionNode | FragmentDefinitionNode) -> GraphQLNamedType | None:
        if isinstance(definition, OperationDefinitionNode):
            return self.context.schema.get_root_type(definition.operation)
        return self.context.schema.get_type(definition.type_condition.name.value)

    def _count(self, selections: SelectionSetNode, open_fragments: tuple[str, ...]) -> int:
        total = 0
        for selection in selections.selections:
            if isinstance(selection, FragmentSpreadNode):
                total += self._count_fragment(selection.name.value, open_fragments)
            elif isinstance(selection, FieldNode | InlineFragmentNode):
                total += isinstance(selection, FieldNode)
                if selection.selection_set:
                    total += self._count(selection.selection_set, open_fragments)
        return min(total, MAX_FIELDS + 1)

    def _count_fragment(self, name: str, open_fragments: tuple[str, ...]) -> int:
        if name in open_fragments:
            raise _TooLarge(f"Cannot spread fragment '{name}' within itself.")
        if name not in self.field_counts:
            fragment = self.context.get_fragment(name)
            self.field_counts[name] = (
                # One more than its fields, so that spreads of nothing count too.
                1 + self._count(fragment.selection_set, (*open_fragments, name)) if fragment else 0
            )
        return self.field_counts[name]

    def _cost(self, parent: GraphQLNamedType | None, selections: list[SelectionSetNode], depth: int) -> int:
        """The cost of selections that the executor merges, as it merges them."""
        merged: dict[str, list[_Placed]] = {}
        for placed in (each for selection in selections for each in self._fields(selection, parent)):
            field = placed.field
            merged.setdefault(field.alias.value if field.alias else field.name.value, []).append(placed)
            self._count_alias(field)
        cost = 0
        for fields in merged.values():
            if len(fields) > MAX_REPEATS:
                raise _TooLarge(f"A field is repeated more than {MAX_REPEATS} times in one place.")
            cost += 1 + self._cost_below(fields, depth)
        return cost

    def _cost_below(self, fields: list[_Placed], depth: int) -> int:
        field, owner = fields[0]
        # The standard introspection query is deeper than anything that our own types ask for.
        limit = MAX_INTROSPECTION_DEPTH if _is_introspection(owner) else MAX_DEPTH
        if depth > limit:
            raise _TooLarge(f"The operation is more than {limit} fields deep.")
        below = [each.field.selection_set for each in fields if each.field.selection_set]
        if not below:
            return 0
        definition = self._definition(owner, field)
        parent = get_named_type(definition.type) if definition else None
        return _size(field, definition) * self._cost(parent, below, depth + 1)

    def _count_alias(self, field: FieldNode) -> None:
        self.aliases += field.alias is not None
        if self.aliases > MAX_ALIASES:
            raise _TooLarge(f"The operation has more than {MAX_ALIASES} aliases.")

    def _fields(self, selections: SelectionSetNode, parent: GraphQLNamedType | None) -> Iterator[_Placed]:
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                yield _Placed(selection, parent)
                continue
            fragment: InlineFragmentNode | FragmentDefinitionNode | None = (
                selection
                if isinstance(selection, InlineFragmentNode)
                else self.context.get_fragment(selection.name.value)
                if isinstance(selection, FragmentSpreadNode)
                else None
            )
            if fragment:
                condition = fragment.type_condition
                owner = self.context.schema.get_type(condition.name.value) if condition else parent
                yield from self._fields(fragment.selection_set, owner)

    def _definition(self, owner: GraphQLNamedType | None, field: FieldNode) -> GraphQLField | None:
        if isinstance(owner, GraphQLObjectType | GraphQLInterfaceType):
            return self.context.schema.get_field(owner, field.name.value)
        return None


def _size(field: FieldNode, definition: GraphQLField | None) -> int:
    """How many times what stands below a field is resolved."""
    if definition is None:
        return 1
    if "first" in definition.args:
        value = next((a.value for a in field.arguments or () if a.name.value == "first"), None)
        # A literal may have any number of digits.
        if isinstance(value, IntValueNode) and len(value.value) <= 4:
            return max(1, min(int(value.value), LARGEST_PAGE))
        return LARGEST_PAGE
    is_page = field.name.value in {"nodes", "edges"} or _is_introspection(get_named_type(definition.type))
    return 1 if is_page or not _is_list(definition) else UNPAGED_LIST_SIZE


def _is_introspection(kind: GraphQLNamedType | None) -> bool:
    return kind is not None and kind.name.startswith("__")


def _is_list(definition: GraphQLField) -> bool:
    kind = definition.type
    return isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)
