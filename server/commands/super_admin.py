"""`gatehouse super-admin`: who runs the platform."""

from __future__ import annotations

from pathlib import Path

import click

import resolvers.operators.staff
from server.commands.operators import email_option, opened
from server.commands.options import data_dir_option


@click.group("super-admin")
def super_admin() -> None:
    """Platform operators, who may view every account's security page and change nothing there."""


@super_admin.command("grant")
@email_option
@data_dir_option
def grant(email: str, data_dir: Path | None) -> None:
    """Make somebody a super-admin."""
    with opened(data_dir) as run:
        run(lambda database: resolvers.operators.staff.set_super_admin(database, email, True))
    click.echo(f"{email} is a super-admin now.")


@super_admin.command("revoke")
@email_option
@data_dir_option
def revoke(email: str, data_dir: Path | None) -> None:
    """Make somebody a super-admin no more."""
    with opened(data_dir) as run:
        run(lambda database: resolvers.operators.staff.set_super_admin(database, email, False))
    click.echo(f"{email} is no longer a super-admin.")
