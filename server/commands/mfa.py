"""`gatehouse mfa`: people's second factors."""

from __future__ import annotations

from pathlib import Path

import click

import resolvers.operators.staff
from server.commands.operators import email_option, opened
from server.commands.options import data_dir_option


@click.group()
def mfa() -> None:
    """People's second factors."""


@mfa.command("reset")
@email_option
@click.option("--reason", help="Why, for the audit log and the email: up to 500 characters.")
@data_dir_option
def reset_mfa(email: str, reason: str | None, data_dir: Path | None) -> None:
    """Reset the MFA of whoever nobody else can: a sole owner who is locked out. They are emailed."""
    with opened(data_dir) as run:
        run(lambda database: resolvers.operators.staff.reset_mfa(database, email, reason))
    click.echo(f"Reset the MFA of {email}. They set it up again at the next sign-in.")
