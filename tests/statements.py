"""The statements of db/, as the driver gets them; and those of the last release, kept as text in released.sql.

At a release: uv run python -m tests.statements > tests/running/released.sql
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import db
import db.migrate

RUNS = {"cursor", "execute", "executemany", "fetch", "fetchrow", "fetchval"}
# The migrator's own are run by every test, and a pooler's limits are its settings.
OTHERS = {"migrate", "short_tries", "turn", "pooler"}
RELEASED = Path(__file__).parent / "running" / "released.sql"
UP_TO = re.compile(r"^-- up to migration (\d+)\n")
PLACE = re.compile(r"^-- (\w+\.py): (\w+)\n", re.MULTILINE)


def statements() -> Iterator[tuple[str, str]]:
    """Every statement of db/, as file: function and text."""
    for path in sorted(Path(db.__path__[0]).glob("*.py")):
        if path.stem in OTHERS:
            continue
        names = vars(import_module(f"db.{path.stem}"))
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.AsyncFunctionDef):
                for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                    if isinstance(call.func, ast.Attribute) and call.func.attr in RUNS:
                        text = eval(compile(ast.Expression(call.args[0]), str(path), "eval"), names)
                        yield f"{path.name}: {function.name}", text


def released() -> Iterator[tuple[str, str]]:
    """The same of the last release."""
    _, *parts = PLACE.split(RELEASED.read_text())
    for file, function, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        yield f"{file}: {function}", text


def last_released() -> int:
    """The number of the last release's last migration."""
    found = UP_TO.match(RELEASED.read_text())
    assert found
    return int(found[1])


if __name__ == "__main__":
    print(f"-- up to migration {max(migration.number for migration in db.migrate.all_migrations())}\n")
    for place, text in statements():
        print(f"-- {place}\n{text.strip()}\n")
