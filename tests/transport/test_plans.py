"""What the executor reads by a plan that it has made once: lists of plain objects, and nothing else."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from graphql import execute, parse
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as Stock

from server.transport.documents import chosen_operation
from server.transport.executor import PlainExecutor
from server.transport.graphql_request import Params
from server.transport.plans import MANY, Plan
from server.transport.schema import GatehouseSchema
from settings import Settings
from tests.transport import small
from tests.transport.making import Maker
from tests.transport.mixed import (
    FAST,
    Cat,
    Dog,
    Query,
    Quiet,
    Row,
)


def counting(asked: list[str]) -> type[PlainExecutor]:
    """An executor that notes each field that is left to graphql-core."""

    class Counting(PlainExecutor):
        def execute_field(self, parent_type: Any, source: Any, details: Any, *rest: Any) -> Any:
            asked.append(details[0].node.name.value)
            return super().execute_field(parent_type, source, details, *rest)

    return Counting


async def test_a_list_of_plain_objects_is_read_here_and_nowhere_else() -> None:
    asked: list[str] = []
    maker = Maker(0)
    maker.wrong = 0
    tree = maker.tree(Row)
    tree.rows = [maker.tree(Row, 0) for _ in range(20)]
    schema = Quiet(Query, types=[Cat, Dog], execution_context_class=counting(asked))
    document = "{ row { rows { __typename text number: share isIt identity colour key maybe when maybeColour } } }"
    assert len((await schema.execute(document, context_value=tree)).data["row"]["rows"]) == 20  # type: ignore[index]
    assert asked == ["row", "rows"]


async def test_a_list_of_leaves_is_read_here_unless_it_says_more() -> None:
    asked: list[str] = []
    maker = Maker(0)
    maker.wrong = 0
    tree = maker.tree(Row, 0)
    tree.words = ["a", "b"]
    executor, given = counting(asked), {"yes": True}
    assert (await carried_out(planned("{ row { words } }"), executor, tree))["row"] == {"words": ["a", "b"]}
    assert asked == ["row"]
    plan = planned("query ($yes: Boolean!) { row { words @include(if: $yes) } }")
    assert (await carried_out(plan, executor, tree, **given))["row"] == {"words": ["a", "b"]}
    assert asked == ["row", "row", "words"]


ROWS = "{ row { rows { text maybeRow { text colour } row { number } shouted near { shouted } } } }"
FUNCTIONS = "{ row { shouted near { shouted text } rows { shouted near { shouted } } } }"
TREES = 100


def planned(text: str) -> Plan:
    return Plan(parse(text))


async def carried_out(plan: Plan, executor: type[PlainExecutor], tree: Row, **variables: object) -> Any:
    """The data of a document executed by its plan."""
    given: Any = {"operation_extensions": None, "plan": plan}
    result = execute(
        FAST._schema, plan.document, context_value=tree, variable_values=variables, executor_class=executor, **given
    )
    return (await result).data  # type: ignore[misc]


async def answer(executor: type[Stock], tree: Row, plan: Plan) -> tuple[str, list[Any]]:
    """Data in its order, and the errors."""
    given: Any = {"executor_class": executor, "operation_extensions": None}
    given |= {"plan": plan} if executor is PlainExecutor else {}
    result: Any = execute(FAST._schema, plan.document, context_value=tree, **given)
    result = await result
    return repr(result.data), [(error.message, error.path, error.locations) for error in result.errors or []]


async def test_a_list_whose_objects_hold_objects_is_read_here_and_nowhere_else() -> None:
    asked: list[str] = []
    maker = Maker(0)
    maker.wrong = 0
    tree = maker.tree(Row)
    tree.rows = [maker.tree(Row, 1) for _ in range(20)]
    tree.rows[7].maybe_row = None
    found = await carried_out(planned(ROWS), counting(asked), tree)
    assert found["row"]["rows"][7]["maybeRow"] is None
    assert {*found["row"]["rows"][8]["maybeRow"]} == {"text", "colour"}
    assert found["row"]["rows"][8]["near"] == {"shouted": tree.rows[8].maybe_row.text.upper()}
    assert asked == ["row", "rows"]


async def test_a_plan_keeps_a_shape_for_each_set_of_fields_and_none_beyond_its_room() -> None:
    tree = Maker(0).tree(Row, 0)
    plan = planned("query ($one: Boolean!, $not: Boolean!) { row { text @include(if: $one) number @skip(if: $not) } }")
    for one, skips in ((True, False), (True, False), (False, True)):
        found = await carried_out(plan, PlainExecutor, tree, **{"one": one, "not": skips})
        assert {*found["row"]} == {"text", "number"} if one else not found["row"]
    assert len(plan.shapes) == 2
    plan.room = 1
    await carried_out(plan, PlainExecutor, tree, **{"one": True, "not": True})
    found = await carried_out(plan, PlainExecutor, tree, **{"one": True, "not": True})
    assert {*found["row"]} == {"text"}
    assert not plan.shapes


async def test_functions_of_an_object_give_what_they_give_to_the_stock_executor() -> None:
    plan, failed = planned(FUNCTIONS), 0
    for seed in range(TREES):
        tree = Maker(seed).tree(Row)
        expected = await answer(Stock, tree, plan)
        assert await answer(PlainExecutor, tree, plan) == expected, seed
        failed += bool(expected[1])
    assert TREES / 10 < failed < TREES * 0.9


async def test_many_rows_are_those_of_the_stock_executor() -> None:
    maker, plan = Maker(0), planned("{ row { rows { text a: number shouted maybeRow { colour } } } }")
    maker.wrong = 0
    tree = maker.tree(Row)
    tree.rows = [maker.tree(Row, 1) for _ in range(MANY + 50)]
    expected = await answer(Stock, tree, plan)
    for _ in range(2):  # the second time by the function that the first has made
        assert await answer(PlainExecutor, tree, plan) == expected


async def test_an_operation_is_executed_anew_for_each_request() -> None:
    plan, trees = planned("{ row { text rows { number } } }"), [Maker(seed).tree(Row, 1) for seed in range(3)]
    trees[1].text = ValueError("wrong")
    found = [await answer(PlainExecutor, tree, plan) for tree in trees]
    assert found == [await answer(Stock, tree, plan) for tree in trees]
    assert [bool(errors) for _, errors in found] == [False, True, False]
    gone = [weakref.ref(tree) for tree in trees]
    del trees[:]
    gc.collect()
    assert [each() for each in gone] == [None, None, None]  # nothing of a request is kept


@pytest.mark.parametrize("text", ["{ person { name } }", "{ person { friends { name } } hello }"])
async def test_a_document_that_is_not_kept_is_freed_without_the_collector(text: str) -> None:
    schema = GatehouseSchema(query=small.Query, settings=Settings())
    gone: list[weakref.ref[Any]] = []
    gc.disable()
    try:
        for name in ("A", "B"):  # the first is who all others are executed by
            prepared = schema.documents.prepare(f"query {name} {text}")
            assert prepared.document
            operation = chosen_operation(prepared.document, None)
            result = await schema.run(prepared, operation, Params(None, None, None, None), None)
            assert result.data and not result.errors
            gone = [weakref.ref(prepared.document), weakref.ref(prepared.plan), weakref.ref(operation)]
            del prepared, operation, result
        assert [each() for each in gone] == [None, None, None]
    finally:
        gc.enable()
