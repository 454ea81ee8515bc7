"""Limits are decided in one place: the constants of rules/ are what rules, and no statement has a limit of its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from tests.sources import modules

# An interval that is written out, in any of the ways of SQL; none that is made of a parameter or of a column.
INTERVAL = re.compile(
    r"\binterval\s*'|'\s*::\s*interval\b|'\s+as\s+interval\b|\bmake_interval\s*\(([^()]*(=>|,))?[\d\s.*+-]+[,)]", re.I
)
# Rows are counted by a parameter, but for the one of which no second one is wanted.
ROWS = re.compile(r"\bLIMIT (?!1\b)\d|\bFETCH (FIRST|NEXT) (?!1\b)\d")


def constants(tree: ast.Module) -> Iterator[str]:
    """The public constants that a module sets."""
    for statement in tree.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        for target in targets:
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            yield from (
                name.id
                for name in names
                if isinstance(name, ast.Name) and name.id.isupper() and not name.id.startswith("_")
            )


def dotted(path: str) -> str:
    """The name by which a module is imported."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported(tree: ast.Module) -> dict[str, str]:
    """What the names that a module imports stand for, by their whole names."""
    return {
        each.asname or each.name: f"{node.module}.{each.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for each in node.names
    }


def read(module: str, tree: ast.Module) -> Iterator[str]:
    """What a module reads, its own or others', by their whole names."""
    names = imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield names.get(node.id, f"{module}.{node.id}")
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            first, _, rest = ast.unparse(node).partition(".")
            yield f"{names.get(first, first)}.{rest}"


def unread(trees: Mapping[str, ast.Module]) -> set[str]:
    """The constants of rules/ that nobody reads, by their whole names."""
    rules = {path: tree for path, tree in trees.items() if path.startswith("rules/")}
    set_there = {f"{dotted(path)}.{name}" for path, tree in rules.items() for name in constants(tree)}
    return set_there - {each for path, tree in trees.items() for each in read(dotted(path), tree)}


def written_out(trees: Mapping[str, ast.Module], pattern: re.Pattern[str]) -> list[str]:
    """Where a text matches the pattern."""
    return [
        f"{path}:{node.lineno}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and pattern.search(node.value)
    ]


def test_every_public_constant_of_the_rules_has_a_reader() -> None:
    assert "CHALLENGE_LIFETIME" in constants(modules()["rules/throttling.py"])
    assert unread(modules()) == set()


def test_a_constant_is_read_by_its_module_and_not_by_one_of_the_same_name() -> None:
    sources = {
        "rules/one.py": "PAUSE = 1\nLONGEST, MOST = 2, 3\n_OWN = 4\nKEPT: int = 5\nprint(KEPT)",
        "rules/other.py": "PAUSE = 6\nLONGEST = 7\nprint(PAUSE, LONGEST)",
        "db/reader.py": "import rules.one\nfrom rules.one import LONGEST as most\nprint(most, rules.one.MOST)",
        "web/__init__.py": "from rules.one import PAUSE",
    }
    assert unread({path: ast.parse(source) for path, source in sources.items()}) == {"rules.one.PAUSE"}


def test_no_statement_holds_an_interval() -> None:
    """A limit comes as a parameter (`$1::interval`), a number of units as make_interval(hours => $1)."""
    assert written_out(modules(), INTERVAL) == []


def test_no_statement_holds_how_many_rows_it_is_about() -> None:
    assert written_out(modules(), ROWS) == []


def test_an_interval_is_seen_however_it_is_written() -> None:
    wrong = (
        "interval '7 days'",
        "INTERVAL'1 day'",
        "'7 days'::interval",
        "'7 days' :: interval",
        "CAST('7 days' AS interval)",
        "make_interval(days => 7)",
        "make_interval(secs => 1.5)",
        "make_interval(hours => 24 * 7)",
        "make_interval(hours => $1, mins => 30)",
        "make_interval(7)",
        "make_interval(0, 0, 0, 7)",
    )
    right = (
        "$1::interval",
        "current_setting('passed')::interval",
        "make_interval(days => $7)",
        "make_interval(hours => 24 * $2)",
        "make_interval(hours => 24 * joiner_days)",
        "make_interval(secs => least($4 * 2 ^ (hand_overs - 1), $5))",
        "greatest(make_interval(days => $1), $3::interval)",
    )
    assert [text for text in wrong if not INTERVAL.search(text)] == []
    assert [text for text in right if INTERVAL.search(text)] == []
