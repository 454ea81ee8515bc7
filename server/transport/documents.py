"""Documents: parsed and validated, kept by their text, and only the trusted ones where a manifest says so."""

from __future__ import annotations

import asyncio
import json
import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    Source,
    parse,
    validate,
)
from graphql.language import SourceLocation
from graphql.validation import ASTValidationRule

from server.transport.aside import Aside
from server.transport.bounds import SIGNED_IN, Bounds, TooLarge
from server.transport.graphql_request import Params, RequestError
from server.transport.input_messages import without_token
from server.transport.kept_documents import KeptDocuments
from server.transport.limits import Measures
from server.transport.operations import OperationNames
from server.transport.plain_queries import PlainQueries
from server.transport.plans import Blank, Plan
from server.transport.validation import needed, rules_of
from settings import Settings, SettingsError

MAX_ERRORS = 5
# Parsed and validated in a millisecond or two; what is longer is so beside the loop.
LONGEST_AT_ONCE = 1024
LINE_BREAK = re.compile(r"\r\n|[\n\r]")


class Prepared(NamedTuple):
    """A document and what is wrong with it; the document is None when it could not be parsed."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...]
    bounds: Bounds
    cost: float = 0
    plan: Plan | None = None


class Documents:
    """The documents of one schema; `trusted` maps hashes to the only texts that may run, or is None."""

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        introspection: bool,
        trusted: Mapping[str, str] | None,
        known: Iterable[str] = (),
    ) -> None:
        self.schema = schema
        self.trusted = trusted
        self.trusted_texts = frozenset((trusted or {}).values())
        self.names = OperationNames(schema, [*self.trusted_texts, *known])
        self.hide_suggestions = not introspection
        self.rules = rules_of(introspection)
        self.measures = Measures(schema)
        self.blank = Blank()
        self.plain = PlainQueries(schema)
        self.asides = {True: Aside("documents"), False: Aside("strangers-documents")}
        self.kept: KeptDocuments[Prepared] = KeptDocuments()

    def text_of(self, params: Params) -> str:
        """The document that a request means. Raises RequestError when it names none, or none that is trusted."""
        trusted = (self.trusted or {}).get(params.document_hash or "")
        if trusted is not None:
            return trusted
        if params.query and params.query.strip():
            return params.query
        if params.document_hash:
            found = "NotSupported" if self.trusted is None else "NotFound"
            # Apollo's clients know it by its code, urql by its message; both then send the query itself.
            code = re.sub("(?<=[a-z])(?=[A-Z])", "_", f"PersistedQuery{found}").upper()
            raise RequestError(f"PersistedQuery{found}", code=code)
        raise RequestError("Send a query.")

    def prepare(self, text: str, bounds: Bounds = SIGNED_IN) -> Prepared:
        """Parse and validate; small documents that may run are kept."""
        return self._kept(text, bounds) or self._keep(text, self._prepare(text, bounds))

    async def prepared(self, text: str, bounds: Bounds) -> Prepared:
        """The same, beside the event loop when it would take long. Raises RateLimited."""
        if (kept := self._kept(text, bounds)) is not None:
            return kept
        if len(text) <= LONGEST_AT_ONCE:
            prepared = self.prepare(text, bounds)
            await asyncio.sleep(0)  # it took as long as to execute it will: whoever has come meanwhile goes before
            return prepared
        return self._keep(text, await self.asides[bounds is SIGNED_IN].run(self._prepare, text, bounds))

    def _faults(self, document: DocumentNode, rules: Collection[type[ASTValidationRule]]) -> list[GraphQLError]:
        return validate(self.schema, document, rules, max_errors=MAX_ERRORS, hide_suggestions=self.hide_suggestions)

    def _kept(self, text: str, bounds: Bounds) -> Prepared | None:
        """What is kept of this text, if it is known to be within these bounds."""
        kept = self.kept.get(text)
        return None if kept is None or (bounds is not SIGNED_IN and bounds is not kept.bounds) else kept

    def _keep(self, text: str, prepared: Prepared) -> Prepared:
        if not prepared.errors:
            self.kept.add(text, prepared)
        return prepared

    def _prepare(self, text: str, bounds: Bounds) -> Prepared:
        def refused(message: str, code: str = "GRAPHQL_VALIDATION_FAILED", of: GraphQLError | None = None) -> Prepared:
            return Prepared(None, (_tagged(message, code, of),), bounds)

        if self.trusted is not None and text not in self.trusted_texts:
            return refused("Only trusted documents run here.")
        if len(text) > bounds.chars:
            return refused(f"The document is longer than {bounds.chars // 1024} KiB: {bounds.hint}.")
        try:
            return self._read(text, bounds)
        except GraphQLSyntaxError as error:
            return refused(without_token(error.message), "GRAPHQL_PARSE_FAILED", error)
        except TooLarge as error:
            return refused(str(error))
        except RecursionError:
            return refused("The document is nested too deeply.", "GRAPHQL_PARSE_FAILED")

    def _read(self, text: str, bounds: Bounds) -> Prepared:
        document = _without_cycles(parse(_Text(text), max_tokens=bounds.tokens))
        plan = Plan(document, self.blank)
        if (cost := self.plain.cost(plan, bounds)) is not None:
            return Prepared(document, (), bounds, cost, plan)
        cost = self.measures.check(document, bounds)
        errors = self._faults(document, needed(self.rules, text, document))
        tagged = tuple(_tagged(e.message, "GRAPHQL_VALIDATION_FAILED", e) for e in errors)
        return Prepared(document, tagged, bounds, cost, plan)


def _without_cycles(document: DocumentNode) -> DocumentNode:
    """The document, of whose tokens none knows the one before it, which nobody asks for.

    Otherwise the collector alone could free it, which took an eighth of the whole request.
    """
    token = document.loc and document.loc.start_token
    while token:
        token.prev, token = None, token.next
    return document


class _Text(Source):
    """A source that finds the line of a position without reading all that stands before it each time."""

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(found.end() for found in LINE_BREAK.finditer(self.body))]

    @cached_property
    def _line_ends(self) -> list[int]:
        return [found.start() for found in LINE_BREAK.finditer(self.body)]

    def get_location(self, position: int) -> SourceLocation:
        """The line and column of a position, as graphql-core counts them."""
        line = bisect_left(self._line_ends, position)
        return SourceLocation(line + 1, position + 1 - self._line_starts[line])


def documents_for(
    schema: GraphQLSchema, settings: Settings, known: Iterable[str] = (), own: Iterable[str] = ()
) -> Documents:
    """The documents as the settings want them. Raises SettingsError for a manifest that cannot be read.

    `known` are documents by whose names operations are counted; `own` ones run beside those of the manifest.
    """
    ours = {_hash(text): text for text in own}
    trusted = ours | read_manifest(settings.trusted_documents) if settings.trusted_documents else None
    introspection = settings.introspection or not settings.production
    return Documents(schema, introspection=introspection, trusted=trusted, known=[*known, *ours.values()])


def read_manifest(path: Path) -> dict[str, str]:
    """Read {sha256 in hex: document}. Raises SettingsError."""
    try:
        manifest = json.loads(path.read_text())
    except (OSError, ValueError):
        raise SettingsError("GATEHOUSE_TRUSTED_DOCUMENTS is wrong: the file cannot be read as JSON.") from None
    if not isinstance(manifest, dict) or not all(isinstance(text, str) for text in manifest.values()):
        raise SettingsError("GATEHOUSE_TRUSTED_DOCUMENTS is wrong: it must map hashes to documents.")
    for name, text in manifest.items():
        if _hash(text) != name.lower():
            raise SettingsError(f"GATEHOUSE_TRUSTED_DOCUMENTS is wrong: {name[:64]} is not its document's SHA-256.")
    return {name.lower(): text for name, text in manifest.items()}


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


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


def _tagged(message: str, code: str, error: GraphQLError | None = None) -> GraphQLError:
    if error is None:
        return GraphQLError(message, extensions={"code": code})
    return GraphQLError(message, error.nodes, source=error.source, positions=error.positions, extensions={"code": code})
