"""--help tells of every command, without importing what they need."""

from __future__ import annotations

import subprocess
import sys

import click

from server.commands.main import OPERATORS, SHORT_HELP, main


def test_it_says_of_each_command_what_the_command_says_of_itself() -> None:
    context = click.Context(main)
    commands = {name: main.get_command(context, name) for name in OPERATORS}
    assert {name: command and command.get_short_help_str(200) for name, command in commands.items()} == SHORT_HELP


def test_it_imports_nothing_that_takes_long() -> None:
    told = "import sys, click; from server.commands.main import main; main(['--help'], standalone_mode=False)"
    heavy = "{'pydantic', 'asyncpg', 'strawberry', 'graphql', 'cryptography', 'starlette', 'celery'}"
    script = f"{told}; print('imported', sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "super-admin" in done.stdout
    assert done.stdout.endswith("imported []\n")
