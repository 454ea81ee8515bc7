"""The rules that a document is validated by: graphql-core's, of which those are left out that can find nothing in it.

What a rule looks at begins with a sign or a word; where that stands nowhere in the text, not even in a string or a
comment, there is nothing for the rule to look at. A plain query needs a third of the rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from graphql import (
    DefinitionNode,
    DocumentNode,
    ExecutableDefinitionsRule,
    FieldNode,
    FragmentsOnCompositeTypesRule,
    GraphQLError,
    KnownArgumentNamesRule,
    KnownDirectivesRule,
    KnownFragmentNamesRule,
    KnownOperationTypesRule,
    KnownTypeNamesRule,
    LoneAnonymousOperationRule,
    NoFragmentCyclesRule,
    NoSchemaIntrospectionCustomRule,
    NoUndefinedVariablesRule,
    NoUnusedFragmentsRule,
    NoUnusedVariablesRule,
    OperationDefinitionNode,
    OperationType,
    OverlappingFieldsCanBeMergedRule,
    PossibleFragmentSpreadsRule,
    SelectionSetNode,
    SingleFieldSubscriptionsRule,
    StringValueNode,
    UniqueArgumentNamesRule,
    UniqueDirectivesPerLocationRule,
    UniqueFragmentNamesRule,
    UniqueInputFieldNamesRule,
    UniqueOperationNamesRule,
    UniqueVariableNamesRule,
    ValidationRule,
    ValuesOfCorrectTypeRule,
    VariablesAreInputTypesRule,
    VariablesInAllowedPositionRule,
    VisitorAction,
    specified_rules,
)
from graphql.language import ValueNode
from graphql.type import GraphQLInputType
from graphql.utilities.validate_input_value import validate_input_literal
from graphql.validation import ASTValidationRule
from graphql.validation.rules.defer_stream_directive_label import DeferStreamDirectiveLabel
from graphql.validation.rules.defer_stream_directive_on_root_field import DeferStreamDirectiveOnRootField
from graphql.validation.rules.defer_stream_directive_on_valid_operations_rule import (
    DeferStreamDirectiveOnValidOperationsRule,
)
from graphql.validation.rules.max_introspection_depth_rule import MaxIntrospectionDepthRule
from graphql.validation.rules.stream_directive_on_list_field import StreamDirectiveOnListField
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule

from server.transport.graphql_request import RequestError, refuse_unusable_text
from server.transport.input_messages import without_value

LONGEST_PRINTED = 1024


class StorableText(ValidationRule):
    """Refuses text that could not be stored."""

    def enter_string_value(self, node: StringValueNode, *_args: object) -> VisitorAction:
        """Look at a text."""
        try:
            refuse_unusable_text(node.value)
        except RequestError as error:
            self.report_error(GraphQLError(error.message, node))
        return None


class _EnoughTold(Exception):
    pass


class ValueRule(ValuesOfCorrectTypeRule):
    """Says what is expected, and never the value: it may be a password.

    graphql-core prints the whole value for each fault, so that of a long one only the first is looked for.
    """

    def is_valid_value_node(self, node: ValueNode, input_type: GraphQLInputType | None) -> VisitorAction:
        """Look at a value."""

        def report(error: GraphQLError, _path: list[str | int]) -> None:
            self.report_error(GraphQLError(without_value(error.message), error.nodes))
            if is_long:
                raise _EnoughTold

        is_long = node.loc is not None and node.loc.end - node.loc.start > LONGEST_PRINTED
        if input_type:
            with suppress(_EnoughTold):
                # No suggestion would be told.
                validate_input_literal(node, input_type, report, None, None, hide_suggestions=True)
        return self.SKIP


Rules = Iterable[type[ASTValidationRule]]

# What stands in every text in which one of these rules finds anything: one of the words at least.
LOOKED_FOR: dict[tuple[str, ...], Rules] = {
    ("@",): (
        KnownDirectivesRule,
        UniqueDirectivesPerLocationRule,
        DeferStreamDirectiveOnRootField,
        DeferStreamDirectiveOnValidOperationsRule,
        DeferStreamDirectiveLabel,
        StreamDirectiveOnListField,
    ),
    ("$",): (
        UniqueVariableNamesRule,
        NoUndefinedVariablesRule,
        NoUnusedVariablesRule,
        VariablesAreInputTypesRule,
        VariablesInAllowedPositionRule,
    ),
    ("...", "fragment"): (
        FragmentsOnCompositeTypesRule,
        UniqueFragmentNamesRule,
        KnownFragmentNamesRule,
        NoUnusedFragmentsRule,
        PossibleFragmentSpreadsRule,
        NoFragmentCyclesRule,
    ),
    ("(",): (
        KnownArgumentNamesRule,
        UniqueArgumentNamesRule,
        ValueRule,
        UniqueInputFieldNamesRule,
        MaybeNullValidationRule,
    ),
    ('"',): (StorableText,),
    ("subscription",): (SingleFieldSubscriptionsRule,),
    ("__schema", "__type"): (MaxIntrospectionDepthRule,),
}


# What finds something only where there are several definitions, or one that is no query.
AMONG_DEFINITIONS: set[type[ASTValidationRule]] = {
    ExecutableDefinitionsRule,
    KnownOperationTypesRule,
    LoneAnonymousOperationRule,
    UniqueOperationNamesRule,
}


def rules_of(introspection: bool) -> list[type[ASTValidationRule]]:
    """All rules."""
    rules: list[type[ASTValidationRule]] = [
        ValueRule if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules
    ]
    own = [] if introspection else [NoSchemaIntrospectionCustomRule]
    return [StorableText, *rules, MaybeNullValidationRule, *own]


def needed(rules: Rules, text: str, document: DocumentNode) -> list[type[ASTValidationRule]]:
    """Those of the rules that may find anything in the document of this text."""
    idle: set[type[ASTValidationRule]] = {
        rule for words, found_by in LOOKED_FOR.items() if not any(word in text for word in words) for rule in found_by
    }
    if len(document.definitions) == 1 and _asks(document.definitions[0]):
        idle |= AMONG_DEFINITIONS
    if NoFragmentCyclesRule in idle and NoUnusedVariablesRule in idle:
        idle.add(KnownTypeNamesRule)  # no type is named but those of fragments and variables
    if NoFragmentCyclesRule in idle and not _repeats(document):
        idle.add(OverlappingFieldsCanBeMergedRule)
    return [rule for rule in rules if rule not in idle]


def _asks(definition: DefinitionNode) -> bool:
    """Whether it is a query, which every schema has."""
    return isinstance(definition, OperationDefinitionNode) and definition.operation is OperationType.QUERY


def _repeats(document: DocumentNode) -> bool:
    """Whether a selection, in a document without fragments, holds two fields that answer to one name."""
    open_sets: list[SelectionSetNode] = []
    for definition in document.definitions:
        if not isinstance(definition, OperationDefinitionNode):
            return True
        open_sets.append(definition.selection_set)
    for selections in open_sets:
        names = set()
        for field in selections.selections:
            if not isinstance(field, FieldNode):
                return True
            names.add(field.alias.value if field.alias else field.name.value)
            if field.selection_set:
                open_sets.append(field.selection_set)
        if len(names) < len(selections.selections):
            return True
    return False
