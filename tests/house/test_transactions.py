"""Who opens a transaction: what happens and what happens later, so that a change and its event stay together."""

from __future__ import annotations

import ast

from tests.sources import modules

# The pool makes transactions, a pooler wants one for each statement, and a migration is one.
MAKERS = {"db/pool.py", "db/pooler.py", "db/short_tries.py"}


def transactions(tree: ast.Module) -> list[int]:
    """The lines on which the module opens one."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "transaction"
    ]


def test_only_resolvers_and_workers_open_a_transaction() -> None:
    found = {path: lines for path, tree in modules().items() if (lines := transactions(tree))}
    assert found.keys() >= MAKERS
    assert {name.split("/")[0] for name in found.keys() - MAKERS} == {"resolvers", "workers"}, found
