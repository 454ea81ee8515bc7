"""What the executor reads by a plan that it has made once: lists of plain objects, and nothing else."""

from __future__ import annotations

from typing import Any

from graphql import execute, parse

from server.transport.executor import PlainExecutor
from server.transport.plans import Plan
from tests.transport.making import Maker
from tests.transport.mixed import (
    FAST,
    Cat,
    Dog,
    Query,
    Quiet,
    Row,
)


async def test_a_list_of_plain_objects_is_read_here_and_nowhere_else() -> None:
    asked: list[str] = []

    class Counting(PlainExecutor):
        def execute_field(self, parent_type: Any, source: Any, details: Any, *rest: Any) -> Any:
            asked.append(details[0].node.name.value)
            return super().execute_field(parent_type, source, details, *rest)

    maker = Maker(0)
    maker.wrong = 0
    tree = maker.tree(Row)
    tree.rows = [maker.tree(Row, 0) for _ in range(20)]
    schema = Quiet(Query, types=[Cat, Dog], execution_context_class=Counting)
    document = "{ row { rows { __typename text number: share isIt identity colour key maybe when maybeColour } } }"
    assert len((await schema.execute(document, context_value=tree)).data["row"]["rows"]) == 20  # type: ignore[index]
    assert asked == ["row", "rows"]


ROWS = "{ row { rows { text maybeRow { text colour } row { number } } } }"


def planned(text: str) -> Plan:
    return Plan(parse(text))


async def carried_out(plan: Plan, executor: type[PlainExecutor], tree: Row, **variables: object) -> Any:
    """The data of a document executed by its plan."""
    given: Any = {"operation_extensions": None, "plan": plan}
    result = execute(
        FAST._schema, plan.document, context_value=tree, variable_values=variables, executor_class=executor, **given
    )
    return (await result).data  # type: ignore[misc]


async def test_a_list_whose_objects_hold_objects_is_read_here_and_nowhere_else() -> None:
    asked: list[str] = []

    class Counting(PlainExecutor):
        def execute_field(self, parent_type: Any, source: Any, details: Any, *rest: Any) -> Any:
            asked.append(details[0].node.name.value)
            return super().execute_field(parent_type, source, details, *rest)

    maker = Maker(0)
    maker.wrong = 0
    tree = maker.tree(Row)
    tree.rows = [maker.tree(Row, 1) for _ in range(20)]
    tree.rows[7].maybe_row = None
    found = await carried_out(planned(ROWS), Counting, tree)
    assert found["row"]["rows"][7]["maybeRow"] is None
    assert {*found["row"]["rows"][8]["maybeRow"]} == {"text", "colour"}
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
