"""The executor that reads plain objects in a loop: it answers as Strawberry's own does, whatever is asked and found."""

from __future__ import annotations

import random
from collections.abc import Generator
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import pytest
import strawberry
from graphql import execute, parse

from server.transport.executor import PlainExecutor
from server.transport.plans import Plan

CASES = 400


@strawberry.enum
class Colour(Enum):
    RED = "red"
    BLUE = strawberry.enum_value("blue", name="AZURE")


class Other(Enum):
    RED = "red"


class Later:
    """An awaitable value."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __await__(self) -> Generator[None, None, object]:
        yield
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


@strawberry.interface
class Named:
    text: str
    maybe: str | None


@strawberry.type
class Cat(Named):
    number: int


@strawberry.type
class Dog(Named):
    colour: Colour


@strawberry.type
class Stone:
    share: float


Thing = Annotated[Cat | Dog | Stone, strawberry.union("Thing")]


@strawberry.type
class Row:
    text: str
    number: int
    share: float
    is_it: bool
    identity: strawberry.ID
    colour: Colour
    key: UUID
    maybe: str | None
    when: datetime | None
    maybe_colour: Colour | None
    words: list[str]
    row: Row
    maybe_row: Row | None
    rows: list[Row]
    maybe_rows: list[Row | None] | None
    named: list[Named]
    things: list[Thing | None]

    @strawberry.field
    def counted(self, times: int = 2) -> int:
        return self.number * times

    @strawberry.field
    async def later(self) -> str | None:
        return self.text


@strawberry.type
class Query:
    @strawberry.field
    async def row(self, info: strawberry.Info[Row, None]) -> Row | None:
        return info.context


class Quiet(strawberry.Schema):
    def process_errors(self, *_: object) -> None:
        """Log nothing."""


STOCK = Quiet(Query, types=[Cat, Dog])
FAST = Quiet(Query, types=[Cat, Dog], execution_context_class=PlainExecutor)


class OneByOne(PlainExecutor):
    """With everybody else's turn after each object."""

    most_in_one_turn = 1


IN_MANY_TURNS = Quiet(Query, types=[Cat, Dog], execution_context_class=OneByOne)

RIGHT: dict[str, list[Any]] = {
    "text": ["", "a"],
    "number": [0, -1],
    "share": [0.5, 1],
    "is_it": [True, False],
    "identity": ["x", 7],
    "colour": list(Colour),
    "key": [UUID(int=1)],
    "maybe": [None, "a"],
    "when": [None, datetime(2026, 11, 25, tzinfo=UTC)],
    "maybe_colour": [None, *Colour],
    "words": [[], ["a", "b"]],
}
MISSING = object()
WRONG = [
    *[
        None,
        None,
        None,
        None,
        ValueError("wrong"),
        Later("a"),
        Later(ValueError("late")),
        Other.RED,
        Colour.RED,
        "red",
        "",
        True,
    ],
    *[1.5, float("nan"), 10**12, [], ["a", None], {"a": 1}, b"a", MISSING],
]
OBJECTS: dict[str, list[type[Any]]] = {
    "row": [Row],
    "maybe_row": [Row],
    "named": [Cat, Dog],
    "things": [Cat, Dog, Stone],
}
OBJECTS |= {"rows": [Row], "maybe_rows": [Row]}
LISTS = {"rows", "maybe_rows", "named", "things"}
FIELDS = {
    "Row": [
        *["text", "number", "share", "isIt", "identity", "colour", "key", "maybe", "when", "maybeColour", "words"],
        *["later", "counted", "row", "maybeRow", "rows", "maybeRows", "named", "things"],
    ],
    "Named": ["text", "maybe"],
    "Cat": ["text", "maybe", "number"],
    "Dog": ["text", "maybe", "colour"],
    "Stone": ["share"],
    "Thing": [],
}
TYPE_OF = {"row": "Row", "maybeRow": "Row", "rows": "Row", "maybeRows": "Row", "named": "Named", "things": "Thing"}
NARROWER = {"Named": ["Cat", "Dog"], "Thing": ["Named", "Cat", "Dog", "Stone"]}


class Maker:
    """Makes a random document and a random tree for it, in which so large a share of the values is wrong."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.wrong = self.random.choice([0, 0.01, 0.1])
        self.fragments: list[str] = []
        self.aliases = 0

    def tree(self, kind: type[Any], depth: int = 2) -> Any:
        values = {name: self.value(name, depth) for name in kind.__annotations__ | Named.__annotations__}
        names = {field.python_name for field in kind.__strawberry_definition__.fields if field.init}
        made = kind(**{name: value for name, value in values.items() if name in names})
        for name in names:
            if values[name] is MISSING:
                delattr(made, name)
        return made

    def value(self, name: str, depth: int) -> Any:
        if self.random.random() < self.wrong:
            return self.random.choice(WRONG)
        if name in RIGHT:
            return self.random.choice(RIGHT[name])
        if name not in LISTS:
            return self.item(name, depth) if depth else None
        items = [self.item(name, depth) for _ in range(self.random.randint(0, 3) if depth else 0)]
        return tuple(items) if self.random.random() < 0.3 else items

    def item(self, name: str, depth: int) -> Any:
        if self.random.random() < 3 * self.wrong:
            wrong = [None, ValueError("wrong"), Later(None), Later(self.tree(Cat)), "a", Stone(share=1)]
            return wrong[self.random.randrange(len(wrong))]
        return self.tree(self.random.choice(OBJECTS[name]), depth - 1)

    def document(self) -> str:
        operation = f"query ($yes: Boolean!) {{ {self.typename()} @include(if: $yes) row {self.selection('Row', 3)} }}"
        return " ".join([operation, *self.fragments])

    def typename(self) -> str:
        return self.random.choice(["", self.alias()]) + "__typename"

    def alias(self) -> str:
        self.aliases += 1
        return f"a{self.aliases}: "

    def selection(self, kind: str, depth: int) -> str:
        if self.random.random() < 0.15:
            return "{ __typename }"
        parts = [self.part(kind, depth) for _ in range(self.random.randint(1, 5))]
        return "{ " + " ".join(parts) + " }"

    def part(self, kind: str, depth: int) -> str:
        chance = self.random.random()
        if chance < 0.1 or (not FIELDS[kind] and (chance < 0.3 or not depth)):
            return self.typename()
        directive = self.random.choice(["", "", "", "", " @include(if: $yes)", " @skip(if: $yes)"])
        if (chance < 0.25 or not FIELDS[kind]) and depth:
            narrower = self.random.choice(NARROWER.get(kind, [kind]))
            inner = self.selection(narrower, depth - 1)
            if chance < 0.2:
                return f"... on {narrower}{directive} {inner}"
            self.fragments.append(f"fragment F{len(self.fragments)} on {narrower} {inner}")
            return f"...F{len(self.fragments) - 1}{directive}"
        name = self.random.choice([field for field in FIELDS[kind] if depth or field not in TYPE_OF])
        alias = self.alias() if self.random.random() < 0.3 else ""
        argument = "(times: 3)" if name == "counted" and alias else ""
        inner = self.selection(TYPE_OF[name], depth - 1) if name in TYPE_OF else ""
        return f"{alias}{name}{argument}{directive} {inner}"


async def answer(schema: strawberry.Schema, document: str, tree: Row, *, yes: bool) -> tuple[str, list[Any]]:
    """Data in its order, and the errors."""
    result = await schema.execute(document, variable_values={"yes": yes}, context_value=tree)
    errors = [(error.message, error.path, error.locations) for error in result.errors or []]
    assert all(path for _, path, _ in errors), (document, errors)
    return repr(result.data), errors


@pytest.mark.parametrize("fast", [FAST, IN_MANY_TURNS], ids=["100 in a turn", "1 in a turn"])
async def test_data_and_errors_are_those_of_the_stock_executor(fast: Quiet) -> None:
    failed = 0
    for seed in range(CASES):
        maker = Maker(seed)
        document, tree, yes = maker.document(), maker.tree(Row), bool(seed % 3)
        expected = await answer(STOCK, document, tree, yes=yes)
        assert await answer(fast, document, tree, yes=yes) == expected, (seed, document)
        failed += bool(expected[1])
    assert CASES / 10 < failed < CASES * 9 / 10


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
