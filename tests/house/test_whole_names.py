"""What decides and what touches the world is called by its whole name: `rules.policy.change`, `db.policy.lock`.

So each line tells which it is. Classes, failures and constants are imported by their own names.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = {"rules", "db", "resolvers"}
FOLDERS = ("rules", "db", "resolvers", "oidc", "scim", "schema", "workers", "server", "web")
MODULES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def place(dotted: str) -> Path | None:
    """The file of a module; None when it is none."""
    path = ROOT.joinpath(*dotted.split("."))
    return next((each for each in (path.with_suffix(".py"), path / "__init__.py") if each.exists()), None)


def functions(dotted: str) -> set[str]:
    """The functions that a module defines."""
    path = place(dotted)
    body = ast.parse(path.read_text()).body if path else []
    return {each.name for each in body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}


def shortened(tree: ast.Module) -> Iterator[str]:
    """What is imported under less than its whole name, within functions, too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in LAYERS:
            for each in node.names:
                if place(f"{node.module}.{each.name}") or each.name in functions(node.module):
                    yield f"{node.module}.{each.name}"
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.asname and each.name.split(".")[0] in LAYERS)


def test_there_is_something_to_look_at() -> None:
    assert len(MODULES) > 200
    wrong = "from rules import policy\nfrom db.policy import lock, Impact\nimport db.staff as rows\n"
    assert list(shortened(ast.parse(wrong))) == ["rules.policy", "db.policy.lock", "db.staff"]
    assert list(shortened(ast.parse("def within():\n    from db import policy\n"))) == ["db.policy"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_are_called_by_their_whole_names(path: Path) -> None:
    assert list(shortened(ast.parse(path.read_text()))) == []
