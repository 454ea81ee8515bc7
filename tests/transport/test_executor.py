"""The executor that reads plain objects in a loop: it answers as Strawberry's own does, whatever is asked and found."""

from __future__ import annotations

from typing import Any

import pytest
import strawberry

from tests.transport.making import Maker
from tests.transport.mixed import (
    FAST,
    IN_MANY_TURNS,
    STOCK,
    Quiet,
    Row,
)

CASES = 400


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
