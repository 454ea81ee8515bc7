"""The one walk over a query of fields and plain values finds what measuring and all rules find."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import replace

import pytest
from graphql import parse, validate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema.roots import build
from server.transport.bounds import SIGNED_IN, TooLarge
from server.transport.limits import Measures
from server.transport.plain_queries import PlainQueries
from server.transport.plans import Plan
from server.transport.schema import GatehouseSchema
from settings import Settings
from tests.transport.writing import plain_query

EXAMPLES = 150
SCHEMA = build(GatehouseSchema, settings=Settings())
# A list or an object as a value, and a list that is given for one argument.
HOLDS_MORE = re.compile(r"\w: [\[{]")
MEASURES, PLAIN = Measures(SCHEMA._schema), PlainQueries(SCHEMA._schema)


def test_it_costs_what_is_measured_and_what_passes_a_bound_is_left_to_the_measures() -> None:
    compared: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.randoms(use_true_random=True))
    def compare(chance: random.Random) -> None:
        text = plain_query(chance, SCHEMA)
        document = parse(text)
        fields, aliases, cost = chance.randint(3, 40), chance.randint(0, 6), 10 ** chance.randint(1, 5)
        bounds = replace(SIGNED_IN, fields=fields, aliases=aliases, cost=cost)
        expected, came_to = None, "valid and within the bounds"
        try:
            expected = MEASURES.check(document, bounds)
        except TooLarge:
            came_to = "too large"
        if validate(SCHEMA._schema, document):
            expected, came_to = None, "not valid"
        elif HOLDS_MORE.search(text):
            expected, came_to = None, "more than plain values"
        assert PLAIN.cost(Plan(document), bounds) == expected
        compared[came_to] += 1
        compared["with values"] += expected is not None and "(" in text

    compare()
    assert min(compared["too large"], compared["not valid"]) > EXAMPLES / 20, compared
    assert compared["valid and within the bounds"] > EXAMPLES / 10, compared
    assert compared["with values"] > EXAMPLES / 50, compared


@pytest.mark.parametrize(
    "text",
    [
        "{ viewer { } }",
        "{ viewer { id id } }",
        "{ viewer { id ... { email } } }",
        "{ viewer { id @include(if: true) } }",
        "query ($unused: ID) { viewer { id } }",
        '"""said""" query { viewer { id } }',
        "query @include(if: true) { viewer { id } }",
        "mutation { __typename }",
        "{ viewer { id } } query A { viewer { id } }",
        "{ __schema { description } }",
        "{ account { id } }",
        "{ account(id: 1, id: 1) { id } }",
        "{ account(id: null) { id } }",
        "{ account(id: true) { id } }",
        '{ account(id: "a\\u0000") { id } }',
        "{ account(name: 1) { id } }",
        "{ account(id: 1) { staff(first: 99999999999) { totalCount } } }",
        "{ account(id: 1) { staff(filter: {}) { totalCount } } }",
    ],
)
def test_whatever_holds_more_is_left(text: str) -> None:
    assert PLAIN.cost(Plan(parse(text)), SIGNED_IN) is None


def test_a_page_costs_its_size() -> None:
    sizes = [
        PLAIN.cost(Plan(parse(f"{{ account(id: 1) {{ staff{size} {{ nodes {{ id }} }} }} }}")), SIGNED_IN)
        for size in ("(first: 7)", "(first: 0)", "(first: 900)", "")
    ]
    assert sizes == [1 + 1 + 7 * 2, 1 + 1 + 1 * 2, 1 + 1 + 500 * 2, 1 + 1 + 500 * 2]


def test_it_is_planned_before_it_is_executed() -> None:
    plan = Plan(parse("{ viewer { id mfa { enabled } } }"))
    room = plan.room
    assert PLAIN.cost(plan, SIGNED_IN) == 4
    (shape,) = plan.shapes.values()
    assert shape.only and shape.only.name == "viewer"
    assert [list(fields) for fields, _ in shape.selections.values()] == [["enabled"], ["id", "mfa"]]
    assert plan.room == room - 5
