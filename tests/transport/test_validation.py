"""Rules that can find nothing in a document are left out: what is found is what all of them find."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest
from graphql import DocumentNode, GraphQLSyntaxError, parse, validate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema.roots import build
from server.transport.bounds import SIGNED_IN
from server.transport.plain_queries import PlainQueries
from server.transport.plans import Plan
from server.transport.schema import GatehouseSchema
from server.transport.validation import needed, rules_of
from settings import Settings
from tests.transport.writing import Writer, plain_query

EXAMPLES = 150
SCHEMA = build(GatehouseSchema, settings=Settings())
RULES = rules_of(introspection=True)
WORD = re.compile(r"[$@]?\w+|\.\.\.|[{}()\[\]:!=]|\"[^\"]*\"")
OTHERS = ["viewer", "id", "nothing", "$other", "@include", "@nothing", "...", "F0", "Viewer", "7", '"a"']
OTHERS += [
    "fragment",
    "on",
    "subscription",
    "__schema",
    "__typename",
    "a: id",
    "id id",
    "(id: 1)",
    "(id: 1 id: 2)",
    "{ id }",
    "null",
]
NAMES = ["viewer", "id", "nothing", "F0", "Viewer", "on", "String", "name"]

WORTH_A_LOOK = [
    "{ viewer { id email mfa { enabled } } }",
    "{ viewer { id id: email } }",
    "{ viewer { mfa { enabled } mfa { enabled: enabledAt } } }",
    "{ viewer { nothing } }",
    "{ viewer }",
    "{ viewer { id { deep } } }",
    "{ viewer { __typename mfa { __typename } } __typename }",
    "{ viewer { __typename { id } } }",
    "{ __typename { id } }",
    "{ viewer { mfa } }",
    "query { __schema }",
    "{ account { id } }",
    "query A { viewer { id } } query A { viewer { id } }",
    "{ viewer { id } } { viewer { id } }",
    "type A { a: Int }",
    "fragment F on Viewer { id }",
    "{ viewer { ... { id id: email } } }",
    "subscription { __typename }",
    "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }",
    '"""said \\u0000""" query A { viewer { id } }',
    "query ($unused: ID, $unused: ID) { viewer { id } }",
    "{ viewer { id @include } }",
]


def is_plain(document: DocumentNode) -> bool:
    return PlainQueries(SCHEMA._schema).cost(Plan(document), SIGNED_IN) is not None


def found(text: str, *, all_rules: bool) -> list[object]:
    document = parse(text)
    rules = RULES if all_rules else needed(RULES, text, document)
    if not all_rules and is_plain(document):
        return []
    errors = validate(SCHEMA._schema, document, rules, max_errors=5, hide_suggestions=False)
    return [(error.message, error.locations) for error in errors]


@pytest.mark.parametrize("text", WORTH_A_LOOK)
def test_each_kind_of_fault_is_found(text: str) -> None:
    assert found(text, all_rules=False) == found(text, all_rules=True)


def test_nothing_is_missed_in_generated_documents() -> None:
    compared: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.randoms(use_true_random=True))
    def compare(chance: random.Random) -> None:
        is_of_fields = chance.random() < 0.5
        words = WORD.findall(plain_query(chance, SCHEMA) if is_of_fields else Writer(chance, SCHEMA).document())
        if chance.random() < 0.35:  # one name is another: mostly wrong, and seldom past reading
            words[chance.choice([n for n, word in enumerate(words) if word.isidentifier()])] = chance.choice(NAMES)
        for _ in range(chance.randint(0, 3)):
            place = chance.randrange(len(words))
            words[place : place + chance.randint(0, 1)] = [chance.choice(OTHERS)] * chance.randint(0, 1)
        text = " ".join(words)
        try:
            expected = found(text, all_rules=True)
        except GraphQLSyntaxError:
            return
        assert found(text, all_rules=False) == expected
        compared["wrong" if expected else "right"] += 1
        compared["right without a rule"] += is_plain(parse(text))

    compare()
    # What the comparison is worth: some documents are right, some are wrong.
    assert compared["right"] > EXAMPLES / 20
    assert compared["wrong"] > EXAMPLES / 20
    assert compared["right without a rule"] > EXAMPLES / 50


@pytest.mark.parametrize(("unknown", "told"), [(3, 3), (800, 1)])
def test_of_a_long_value_only_the_first_fault_is_told(unknown: int, told: int) -> None:
    fields = " ".join(f"email{n}: 1" for n in range(unknown))
    text = f'mutation {{ signIn(input: {{email: "a", password: "b", {fields}}}) {{ __typename }} }}'
    assert len(found(text, all_rules=True)) == told


def test_a_plain_query_needs_a_third_of_the_rules() -> None:
    text = "{ viewer { id email mfa { enabled } } }"
    assert 3 * len(needed(RULES, text, parse(text))) < len(RULES)
