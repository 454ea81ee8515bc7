"""The example operations that the explorer opens with."""

from __future__ import annotations

import json
import re

from graphql import OperationDefinitionNode, parse

from schema.roots import build
from server.transport.schema import GatehouseSchema
from settings import Settings
from web.explorer_assets import WEB

EXAMPLES = [part for part in re.split(r"(?m)^(?=# Example: )", (WEB / "examples.graphql").read_text()) if part]


def test_each_example_passes_the_served_schema_and_its_limits() -> None:
    schema = build(GatehouseSchema, settings=Settings(production=True))
    for example in EXAMPLES:
        assert [error.message for error in schema.documents.prepare(example).errors] == []


def test_every_root_field_has_an_example() -> None:
    schema = build()._schema
    document = parse("".join(EXAMPLES))
    shown = {
        selection.name.value  # type: ignore[attr-defined]
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
        for selection in definition.selection_set.selections
    }
    roots = [schema.query_type, schema.mutation_type, schema.subscription_type]
    assert {name for root in roots if root for name in root.fields} == shown


def test_the_variables_of_an_example_are_all_there_and_all_used() -> None:
    for example in EXAMPLES:
        line = re.search(r"(?m)^# Variables: (.*)$", example)
        given = set(json.loads(line[1])) if line else set()
        declared = set(re.findall(r"\$(\w+): [\[\w]", example))
        assert given <= declared
        required = set(re.findall(r"\$(\w+): [\w\[\]!]+!(?=[,)])", example))
        assert required <= given
