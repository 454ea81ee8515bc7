"""A part at rest has loaded nothing that only other parts need, since it would take memory in every process."""

from __future__ import annotations

import subprocess
import sys

import pytest

SEALING = "cryptography.hazmat.bindings._rust"
TASKS = {"workers.tasks", "jinja2", "asyncpg", "css_inline"}


@pytest.mark.parametrize(
    ("part", "unneeded"),
    [
        ("workers.beat", {SEALING, *TASKS}),
        ("workers.relay", {SEALING, "jinja2", "css_inline"}),
        ("workers.processes", {SEALING}),
    ],
)
def test_a_part_loads_nothing_that_it_does_not_need(part: str, unneeded: set[str]) -> None:
    script = f"import sys, {part}; print(sorted({unneeded!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
