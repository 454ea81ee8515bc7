"""The command line, as operators use it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import used, warm
from tests.parts import environment
from tests.waiting import LIMIT_S

Command = Callable[..., subprocess.CompletedProcess[str]]


def command(*arguments: str, stdin: str = "", **settings: object) -> subprocess.CompletedProcess[str]:
    """Run `gatehouse ARGUMENTS` to its end."""
    with tempfile.TemporaryDirectory() as folder:
        given, out, err = (Path(folder) / name for name in ("in", "out", "err"))
        given.write_text(stdin)
        child = warm.start(arguments, environment(**settings), stdin=given, stdout=out, stderr=err)
        done = subprocess.CompletedProcess(arguments, child.wait(LIMIT_S), out.read_text(), err.read_text())
        for log in (out, err):
            used.forget(log)
    used.note_password(stdin.strip())
    used.wrote(done.stderr)
    # It may print a secret that it makes, and none that was used before.
    assert not used.holds(done.stdout), arguments
    used.note_tokens(done.stdout)
    return done


@pytest.fixture
def operate(database_url: str) -> Command:
    """Runs an operator's command on the test's database."""
    return lambda *arguments, stdin="": command(*arguments, stdin=stdin, database_url=database_url)
