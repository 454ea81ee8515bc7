"""The tests' own order: what several of them need stands in a module of its own, and each operation stands once."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from graphql import GraphQLError, OperationDefinitionNode, parse, print_ast

TESTS = Path(__file__).parents[1]
# What is no operation of a frontend: the transport's own small schema is asked what no frontend would ask.
ELSEWHERE = {"transport", "house"}
# No longer than a part that a test puts into another text, or than what is no operation that a frontend would send.
SHORT = 16


# What may read a clock: what all others wait by, and a process that waits as the standard library's would.
CLOCKS = {"waiting.py", "warm.py"}
# What takes seconds to import, which each of the processes that list the tests would wait for.
SLOW = {"cyclonedx", "jsonschema", "scim2_client", "scim2_tester"}
READS_A_CLOCK = re.compile(r"time\.(monotonic|time|perf_counter)\(")
# A counted number of looks with a pause between is a limit in time, too.
PAUSES = re.compile(r"sleep\((?!0\))")


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{each.name}" for each in node.names))
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names)


def operation(text: object) -> str | None:
    """An operation as it would be printed, whatever its white space; None when it is none, or but a part of one."""
    if not isinstance(text, str) or "{" not in text or len(text) <= SHORT:
        return None
    try:
        document = parse(text)
    except (GraphQLError, RecursionError):
        return None
    if not any(isinstance(each, OperationDefinitionNode) for each in document.definitions):
        return None
    return print_ast(document)


def test_no_test_imports_another() -> None:
    found = {
        path.relative_to(TESTS).as_posix(): name
        for path in TESTS.rglob("*.py")
        for name in imported(ast.parse(path.read_text()))
        if name.startswith("tests.") and any(part.startswith("test_") for part in name.split("."))
    }
    assert found == {}


def test_each_operation_stands_once() -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(TESTS.rglob("*.py")):
        name = path.relative_to(TESTS)
        if name.parts[0] in ELSEWHERE:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and (text := operation(node.value)) is not None:
                places[text].append(f"{name}:{node.lineno}")
    assert len(places) > 20
    assert {text: found for text, found in places.items() if len(found) > 1} == {}


def test_operations_stand_in_their_modules() -> None:
    found = [
        f"{path.relative_to(TESTS)}:{node.lineno}"
        for path in sorted(TESTS.rglob("*.py"))
        if path.name != "operations.py" and path.relative_to(TESTS).parts[0] not in ELSEWHERE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and operation(node.value) is not None
    ]
    assert found == []


def test_each_name_of_an_operation_is_given_once() -> None:
    for path in TESTS.rglob("operations.py"):
        names = re.findall(r"^([A-Z_]+) =", path.read_text(), re.MULTILINE)
        assert sorted(set(names)) == sorted(names), path


def test_no_test_judges_by_the_clock_or_has_a_limit_of_its_own() -> None:
    found: list[str] = []
    for path in sorted(TESTS.rglob("*.py")):
        name = path.relative_to(TESTS).as_posix()
        if name in CLOCKS:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Assert | ast.While) and READS_A_CLOCK.search(ast.unparse(node.test)):
                found.append(f"{name}:{node.lineno}")
            if isinstance(node, ast.For) and "range(" in ast.unparse(node.iter) and PAUSES.search(ast.unparse(node)):
                found.append(f"{name}:{node.lineno}")
            if isinstance(node, ast.Call) and name != "client.py" and ast.unparse(node.func) == "httpx.AsyncClient":
                found.append(f"{name}:{node.lineno}")
    assert found == []


def test_every_browser_waits_by_the_one_limit() -> None:
    opening = re.compile(r"browser\.new_(context|page)\(")
    found = [
        path.name
        for path in sorted(TESTS.rglob("*.py"))
        if path.name != "test_tests.py" and opening.search(path.read_text())
    ]
    assert found == ["browser.py"]


def test_what_is_slow_to_import_is_imported_by_the_test_that_needs_it() -> None:
    found = {
        path.relative_to(TESTS).as_posix(): name
        for path in sorted(TESTS.rglob("*.py"))
        for statement in ast.parse(path.read_text()).body
        if isinstance(statement, ast.Import | ast.ImportFrom)
        for name in imported(statement)
        if name.split(".")[0] in SLOW
    }
    assert found == {}
