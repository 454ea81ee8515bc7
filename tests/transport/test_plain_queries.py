"""The one walk over a query of fields alone finds what measuring and all rules find: within its bounds, and valid."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from graphql import parse, validate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema.roots import build
from server.transport.limits import SIGNED_IN, Measures, TooLarge
from server.transport.plain_queries import PlainQueries
from server.transport.plans import Plan
from server.transport.schema import GatehouseSchema
from settings import Settings
from tests.transport.writing import plain_query

EXAMPLES = 150
SCHEMA = build(GatehouseSchema, settings=Settings())
MEASURES, PLAIN = Measures(SCHEMA._schema), PlainQueries(SCHEMA._schema)


def test_it_costs_what_is_measured_and_what_passes_a_bound_is_left_to_the_measures() -> None:
    compared: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.randoms(use_true_random=False), st.integers(3, 20), st.integers(0, 4), st.integers(3, 100))
    def compare(chance: random.Random, fields: int, aliases: int, cost: int) -> None:
        document = parse(plain_query(chance, SCHEMA))
        bounds = replace(SIGNED_IN, fields=fields, aliases=aliases, cost=cost)
        expected, came_to = None, "valid and within the bounds"
        try:
            expected = MEASURES.check(document, bounds)
        except TooLarge:
            came_to = "too large"
        if validate(SCHEMA._schema, document):
            expected, came_to = None, "not valid"
        assert PLAIN.cost(Plan(document), bounds) == expected
        compared[came_to] += 1

    compare()
    assert len(compared) == 3, compared
    assert min(compared.values()) > EXAMPLES / 20, compared


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
    ],
)
def test_whatever_holds_more_is_left(text: str) -> None:
    assert PLAIN.cost(Plan(parse(text)), SIGNED_IN) is None


def test_it_is_planned_before_it_is_executed() -> None:
    plan = Plan(parse("{ viewer { id mfa { enabled } } }"))
    room = plan.room
    assert PLAIN.cost(plan, SIGNED_IN) == 4
    (shape,) = plan.shapes.values()
    assert shape.only and shape.only.name == "viewer"
    assert [list(fields) for fields, _ in shape.selections.values()] == [["enabled"], ["id", "mfa"]]
    assert plan.room == room - 5
