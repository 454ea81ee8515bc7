"""Documents: parsed and validated once, kept by their text, and only the trusted ones where a manifest says so."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    ValidationRule,
    ValuesOfCorrectTypeRule,
    VisitorAction,
    parse,
    specified_rules,
    validate,
)
from graphql.language import ValueNode
from graphql.type import GraphQLInputType
from graphql.utilities.validate_input_value import validate_input_literal
from graphql.validation.rules.max_introspection_depth_rule import MaxIntrospectionDepthRule
from strawberry.extensions import SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule

from server.transport.graphql_request import Params, RequestError
from server.transport.input_messages import without_token, without_value
from server.transport.limits import MAX_TOKENS, Limits
from settings import Settings, SettingsError

MAX_KEPT = 1_000
LONGEST_KEPT = 8 * 1024
# A parsed document takes up to 270 bytes for each character, so that this is 70 MB at worst.
MAX_KEPT_CHARS = 256 * 1024
MAX_ERRORS = 5


class Prepared(NamedTuple):
    """A document and what is wrong with it; the document is None when it could not be parsed."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...]


class Documents:
    """The documents of one schema; `trusted` maps hashes to the only texts that may run, or is None."""

    def __init__(self, schema: GraphQLSchema, *, introspection: bool, trusted: Mapping[str, str] | None) -> None:
        self.schema = schema
        self.trusted = trusted
        self.trusted_texts = frozenset((trusted or {}).values())
        self.hide_suggestions = not introspection
        self.rules = _rules(introspection)
        self.kept: OrderedDict[str, Prepared] = OrderedDict()
        self.kept_chars = 0

    def text_of(self, params: Params) -> str:
        """The document that a request means. Raises RequestError when it names none, or none that is trusted."""
        if self.trusted is not None and params.document_hash:
            text = self.trusted.get(params.document_hash)
            if text is None:
                raise RequestError("No trusted document has this hash.")
            return text
        if params.query and params.query.strip():
            return params.query
        if params.document_hash:
            raise RequestError("Documents are not kept by hash here: send the query itself.")
        raise RequestError("Send a query.")

    def prepare(self, text: str) -> Prepared:
        """Parse and validate; small documents that may run are kept."""
        kept = self.kept.get(text)
        if kept is not None:
            self.kept.move_to_end(text)
            return kept
        prepared = self._prepare(text)
        if len(text) <= LONGEST_KEPT and not prepared.errors:
            self._keep(text, prepared)
        return prepared

    def extension(self) -> SchemaExtension:
        """What makes Strawberry use these documents, on every transport."""
        return _UseDocuments(self)

    def _keep(self, text: str, prepared: Prepared) -> None:
        self.kept[text] = prepared
        self.kept_chars += len(text)
        while len(self.kept) > MAX_KEPT or self.kept_chars > MAX_KEPT_CHARS:
            oldest, _ = self.kept.popitem(last=False)
            self.kept_chars -= len(oldest)

    def _prepare(self, text: str) -> Prepared:
        if self.trusted is not None and text not in self.trusted_texts:
            return Prepared(None, (_tagged("Only trusted documents run here.", "GRAPHQL_VALIDATION_FAILED"),))
        try:
            document = parse(text, max_tokens=MAX_TOKENS)
            errors = validate(self.schema, document, [Limits], max_errors=1) or validate(
                self.schema, document, self.rules, max_errors=MAX_ERRORS, hide_suggestions=self.hide_suggestions
            )
        except GraphQLSyntaxError as error:
            message = without_token(error.message)
            return Prepared(None, (_tagged(message, "GRAPHQL_PARSE_FAILED", error),))
        except RecursionError:
            return Prepared(None, (_tagged("The document is nested too deeply.", "GRAPHQL_PARSE_FAILED"),))
        return Prepared(document, tuple(_tagged(e.message, "GRAPHQL_VALIDATION_FAILED", e) for e in errors))


def documents_for(schema: GraphQLSchema, settings: Settings) -> Documents:
    """The documents as the settings want them. Raises SettingsError for a manifest that cannot be read."""
    trusted = read_manifest(settings.trusted_documents) if settings.trusted_documents else None
    introspection = settings.introspection or not settings.production
    return Documents(schema, introspection=introspection, trusted=trusted)


def read_manifest(path: Path) -> dict[str, str]:
    """Read {sha256 in hex: document}. Raises SettingsError."""
    try:
        manifest = json.loads(path.read_text())
    except (OSError, ValueError):
        raise SettingsError("GATEHOUSE_TRUSTED_DOCUMENTS is wrong: the file cannot be read as JSON.") from None
    if not isinstance(manifest, dict) or not all(isinstance(text, str) for text in manifest.values()):
        raise SettingsError("GATEHOUSE_TRUSTED_DOCUMENTS is wrong: it must map hashes to documents.")
    for name, text in manifest.items():
        if sha256(text.encode()).hexdigest() != name.lower():
            raise SettingsError(f"GATEHOUSE_TRUSTED_DOCUMENTS is wrong: {name[:64]} is not its document's SHA-256.")
    return {name.lower(): text for name, text in manifest.items()}


def chosen_operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation to run. Raises RequestError unless exactly one is meant."""
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if name is None:
        if len(operations) != 1:
            raise RequestError("The document must hold one operation, or operationName say which one to run.")
        return operations[0]
    for operation in operations:
        if operation.name and operation.name.value == name:
            return operation
    raise RequestError("The document has no operation of the name in operationName.")


class _UseDocuments(SchemaExtension):
    def __init__(self, documents: Documents) -> None:
        self.documents = documents

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        prepared = self.documents.prepare(context.query or "")
        errors = list(prepared.errors)
        if prepared.document is None:
            # Strawberry would parse the text again; this document has an operation to be refused.
            context.graphql_document = parse("{ __typename }")
        else:
            context.graphql_document = prepared.document
        try:
            chosen_operation(context.graphql_document, context._provided_operation_name if not errors else None)
        except RequestError as error:
            errors = errors or [_tagged(error.message, error.code)]
        context.validation_rules = ()
        context.pre_execution_errors = errors or None
        yield


class _ValueRule(ValuesOfCorrectTypeRule):
    """Says what is expected, and never the value: it may be a password."""

    def is_valid_value_node(self, node: ValueNode, input_type: GraphQLInputType | None) -> VisitorAction:
        def report(error: GraphQLError, _path: list[str | int]) -> None:
            self.report_error(GraphQLError(without_value(error.message), error.nodes))

        if input_type:
            validate_input_literal(node, input_type, report, None, None, self.context.hide_suggestions)
        return self.SKIP


def _rules(introspection: bool) -> list[type[ValidationRule]]:
    rules = [_ValueRule if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules]
    last = MaxIntrospectionDepthRule if introspection else NoSchemaIntrospectionCustomRule
    return [*rules, MaybeNullValidationRule, last]


def _tagged(message: str, code: str, error: GraphQLError | None = None) -> GraphQLError:
    if error is None:
        return GraphQLError(message, extensions={"code": code})
    return GraphQLError(message, error.nodes, source=error.source, positions=error.positions, extensions={"code": code})
