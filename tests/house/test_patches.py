"""What is tested is what runs: no test puts something else in the place of anything of ours."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]


def patched(tree: ast.AST) -> list[str]:
    """What `monkeypatch.setattr` is called on."""
    return [
        ast.unparse(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "setattr"
    ]


def test_nothing_of_ours_is_patched() -> None:
    found = {path.name: patched(ast.parse(path.read_text())) for path in TESTS.rglob("test_*.py")}
    assert {name: what for name, what in found.items() if what} == {}
    assert patched(ast.parse("monkeypatch.setattr(ours, 'name', None)")) == ["ours"]
    assert not [path for path in TESTS.rglob("*.py") if "import mock" in path.read_text() and path != Path(__file__)]
