"""Operators' commands: each group of them is found in the module of its name."""

from __future__ import annotations

from click import Context, Group

from server.commands.main import OPERATORS, main


def test_a_group_of_commands_stands_in_a_module_of_its_name() -> None:
    commands = {name: main.get_command(Context(main), name) for name in OPERATORS}
    groups = [name for name, command in commands.items() if isinstance(command, Group)]
    assert {"account", "staff", "portal", "mfa", "super-admin"} < set(groups)
    assert {name: OPERATORS[name] for name in groups} == {
        name: f"server.commands.{name.replace('-', '_')}" for name in groups
    }
