"""The executor with its shortcuts against the stock one, over documents of the whole schema, introspection included.

Resolvers give random trees instead of the database's, the same to both; now and then a value in them is wrong.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    execute,
    is_abstract_type,
    parse,
    validate,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as Stock

from schema.roots import build
from server.transport.bounds import SIGNED_IN
from server.transport.executor import PlainExecutor
from server.transport.leaves import DEFINITION
from server.transport.plain_queries import PlainQueries
from server.transport.plans import Blank, Plan
from server.transport.schema import GatehouseSchema
from settings import Settings
from tests.transport.writing import SCALARS, Writer, plain_query

EXAMPLES = 150
# Two of them alike in what they skip, one of them an error.
VARIABLES: list[dict[str, object]] = [
    {},
    {"yes": False},
    {"yes": True, "no": True},
    {"yes": True},
    {"no": None},
    {"yes": False, "no": True},
]
WRONG = [None, ValueError("wrong"), object(), "", 10**12, [], float("nan")]


class Trees:
    """What resolvers give: by place, so that both executors get the same."""

    def __init__(self, seed: int, wrong: float) -> None:
        self.seed, self.wrong = seed, wrong
        self.made: dict[str, Any] = {}

    def at(self, path: list[Any], kind: Any) -> Any:
        place = ".".join(map(str, path))
        if place not in self.made:
            self.made[place] = self.value(kind, random.Random(f"{self.seed} {place}"), 3)
        if isinstance(self.made[place], Exception):
            raise self.made[place]
        return self.made[place]

    def value(self, kind: Any, chance: random.Random, depth: int) -> Any:
        if chance.random() < self.wrong:
            return chance.choice(WRONG)
        if isinstance(kind, GraphQLNonNull):
            return self.right(kind.of_type, chance, depth)
        return None if chance.random() < 0.2 or not depth else self.right(kind, chance, depth)

    def right(self, kind: Any, chance: random.Random, depth: int) -> Any:
        if isinstance(kind, GraphQLList):
            return [self.value(kind.of_type, chance, depth) for _ in range(chance.randint(0, 3) if depth else 0)]
        if isinstance(kind, GraphQLScalarType):
            return SCALARS.get(kind.name, "text")
        if isinstance(kind, GraphQLEnumType):
            return chance.choice(list(kind.wrapped_cls))  # type: ignore[attr-defined]
        if is_abstract_type(kind):
            kind = chance.choice(SCHEMA._schema.get_possible_types(kind))
        return self.instance(kind, chance, depth - 1)

    def instance(self, kind: GraphQLObjectType, chance: random.Random, depth: int) -> Any:
        origin = kind.extensions[DEFINITION].origin
        made = object.__new__(origin)
        for field in kind.fields.values():
            definition = field.extensions.get(DEFINITION)
            if definition and definition.base_resolver is None and depth >= -1:
                object.__setattr__(made, definition.python_name, self.value(field.type, chance, depth))
        return made


def schema_of_trees() -> GatehouseSchema:
    """The real schema, whose resolvers give what the context's trees hold."""
    schema = build(GatehouseSchema, settings=Settings())
    for kind in schema._schema.type_map.values():
        if not isinstance(kind, GraphQLObjectType) or kind.name.startswith("__"):
            continue
        for field in kind.fields.values():
            definition = field.extensions.get(DEFINITION)
            if definition is not None and definition.base_resolver is not None:
                field.resolve = lambda _source, info, **_: info.context.at(info.path.as_list(), info.return_type)
    return schema


SCHEMA = schema_of_trees()


async def answer(executor: type[Stock], document: Any, trees: Trees, **options: Any) -> tuple[str, list[Any]]:
    """Data in its order, and the errors."""
    options |= {"executor_class": executor, "operation_extensions": None}
    result = execute(SCHEMA._schema, document, context_value=trees, **options)
    if asyncio.iscoroutine(result) or hasattr(result, "__await__"):
        result = await result
    assert not isinstance(result, Iterator)
    return repr(result.data), [(error.message, error.path, error.locations) for error in result.errors or []]


def test_data_and_errors_are_those_of_the_stock_executor() -> None:
    compared = Counter({"documents": 0, "with errors": 0, "of introspection": 0, "of one field": 0})
    compared["by the executor of the first"] = compared["planned beforehand"] = 0
    plain, blank = PlainQueries(SCHEMA._schema), Blank()

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 2**64 - 1), st.integers(0, 2**32), st.sampled_from([0.0, 0.02, 0.1, 0.3, 0.6]))
    def compare(chance: int, seed: int, wrong: float) -> None:
        writer = random.Random(chance)
        document = parse(plain_query(writer, SCHEMA) if chance % 3 == 0 else Writer(writer, SCHEMA).document())
        if validate(SCHEMA._schema, document):
            return
        trees, plan = Trees(seed, wrong), Plan(document, blank)
        compared["planned beforehand"] += plain.cost(plan, SIGNED_IN) is not None
        for number, variables in enumerate((*VARIABLES, *VARIABLES)):  # the second time by the plan of the first
            if not number % 4:
                trees = Trees(seed + number, wrong)
            expected = asyncio.run(answer(Stock, document, trees, variable_values=variables))
            assert asyncio.run(answer(PlainExecutor, document, trees, variable_values=variables, plan=plan)) == expected
            compared["documents"] += 1
            compared["with errors"] += bool(expected[1])
            compared["of introspection"] += "__schema" in expected[0]
            compared["by the executor of the first"] += (plan.operation and blank.executor) is not None
            compared["of one field"] += any(shape.only for shape in plan.shapes.values())

    compare()
    # What the comparison is worth: most documents are valid, some fail, some introspect.
    assert compared["documents"] > EXAMPLES * len(VARIABLES), compared
    assert compared["with errors"] < compared["documents"] * 0.8, compared
    assert min(compared.values()) > 5, compared
