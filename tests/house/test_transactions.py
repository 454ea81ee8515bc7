"""Who opens a transaction: what happens and what happens later, so that a change and its event stay together."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
# The pool makes transactions, a pooler wants one for each statement, and a migration is one.
MAKERS = {"db/pool.py", "db/pooler.py", "db/short_tries.py"}


def transactions(path: Path) -> list[int]:
    """The lines on which the module opens one."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "transaction"
    ]


def test_only_resolvers_and_workers_open_a_transaction() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): lines
        for package in ("schema", "scim", "resolvers", "rules", "db", "workers", "server", "web")
        for path in sorted((ROOT / package).rglob("*.py"))
        if (lines := transactions(path))
    }
    assert found.keys() >= MAKERS
    assert {name.split("/")[0] for name in found.keys() - MAKERS} == {"resolvers", "workers"}, found
