"""How many objects a field may give, as far as its document tells."""

from __future__ import annotations

from graphql import FieldNode, GraphQLField, GraphQLList, GraphQLNonNull, IntValueNode

from server.transport.leaves import DEFINITION

LARGEST_PAGE = 500
UNPAGED_LIST_SIZE = 10
# What the schema says of a list that is bounded and not paged: see schema.common.at_most.
MOST = "most"


def size_of(definition: GraphQLField, field: FieldNode) -> float:
    """How many times what stands below a field of ours is resolved."""
    value = next((a.value for a in field.arguments or () if a.name.value == "first"), None)
    # A literal may have any number of digits.
    if "first" in definition.args and isinstance(value, IntValueNode) and len(value.value) <= 4:
        return max(1, min(int(value.value), LARGEST_PAGE))
    return size_unless_told(definition, field.name.value)


def size_unless_told(definition: GraphQLField, name: str) -> float:
    """The same where no argument says it."""
    if "first" in definition.args:
        return LARGEST_PAGE
    if name in {"nodes", "edges"} or not _is_list(definition):
        return 1
    own = definition.extensions.get(DEFINITION)
    return own.metadata.get(MOST, UNPAGED_LIST_SIZE) if own is not None else UNPAGED_LIST_SIZE


def _is_list(definition: GraphQLField) -> bool:
    kind = definition.type
    return isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)
