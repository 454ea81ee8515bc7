"""Limits are decided in one place: the constants of rules/ are what rules, and no statement has a limit of its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("rules", "db", "resolvers", "schema", "languages", "workers", "server", "web")
INTERVAL = re.compile(r"\binterval\s*'", re.IGNORECASE)


def modules(*packages: str) -> Iterator[tuple[str, ast.Module]]:
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def constants(tree: ast.Module) -> Iterator[str]:
    """The public constants that a module sets."""
    for statement in tree.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        for target in targets:
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            yield from (name.id for name in names if isinstance(name, ast.Name) and name.id.isupper())


def test_every_public_constant_of_the_rules_has_a_reader() -> None:
    set_there = {name for _, tree in modules("rules") for name in constants(tree) if not name.startswith("_")}
    read = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for _, tree in modules(*PACKAGES)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load)
    }
    assert "CHALLENGE_LIFETIME" in set_there
    assert set_there - read == set()


def test_no_statement_holds_an_interval() -> None:
    """A limit comes as a parameter (`$1::interval`), a number of units as make_interval(hours => $1)."""
    found = {
        f"{name}:{node.lineno}"
        for name, tree in modules("db", "resolvers", "workers", "server")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and INTERVAL.search(node.value)
    }
    assert found == set()
