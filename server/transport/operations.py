"""The names by which operations are counted: a known set, so that no client can make more of them."""

from __future__ import annotations

from collections.abc import Iterable

from graphql import FieldNode, GraphQLSchema, GraphQLSyntaxError, OperationDefinitionNode, parse

from telemetry.requests import OTHER


class OperationNames:
    """The root fields, those with a capital, and the operations of known documents."""

    def __init__(self, schema: GraphQLSchema, texts: Iterable[str]) -> None:
        roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
        self.fields = frozenset(name for root in roots if root for name in root.fields)
        named = {name for text in texts for name in _names_in(text)}
        self.known = self.fields | {name[0].upper() + name[1:] for name in self.fields} | named

    def of(self, operation: OperationDefinitionNode) -> str:
        """Its own name, if that is a known one; its only root field, if it has none; else OTHER."""
        if operation.name:
            return operation.name.value if operation.name.value in self.known else OTHER
        first, *others = operation.selection_set.selections
        is_field = isinstance(first, FieldNode) and not others and first.name.value in self.fields
        return first.name.value if is_field and isinstance(first, FieldNode) else OTHER


def _names_in(text: str) -> Iterable[str]:
    try:
        document = parse(text)
    except GraphQLSyntaxError:  # it cannot run either
        return []
    return [d.name.value for d in document.definitions if isinstance(d, OperationDefinitionNode) and d.name]
