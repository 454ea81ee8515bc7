"""A schema of all that an executor may meet, and those that carry it out."""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, ClassVar
from uuid import UUID

import strawberry

from server.transport.executor import PlainExecutor


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


class Lean:
    """What stands for a row: each field is made when it is read."""

    def __init__(self, whole: Row) -> None:
        self.whole = whole

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)


@strawberry.type
class Row:
    stand_in: ClassVar[type[Lean]] = Lean
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

    @strawberry.field
    def shouted(self) -> str:
        return self.text.upper()

    @strawberry.field
    def near(self) -> Row | None:
        return self.maybe_row


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
