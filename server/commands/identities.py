"""The commands for people's accounts at OpenID providers."""

from __future__ import annotations

from pathlib import Path

import click

import resolvers.operators.identities
from db.identities import Held
from server.commands.operators import email_option, opened
from server.commands.options import data_dir_option, load, row, shown

issuer_option = click.option("--issuer", required=True, help="The provider's issuer, as `list` has it.")


@click.group()
def identities() -> None:
    """People's accounts at OpenID providers, by which they sign in."""


@identities.command("list")
@email_option
@data_dir_option
def list_identities(email: str, data_dir: Path | None) -> None:
    """List where somebody is linked, and where that was removed: issuer, which of the two, since when."""
    with opened(data_dir) as run:
        found: list[Held] = run(lambda database: resolvers.operators.identities.listed(database, email))
    for each in found:
        state, since = ("removed", each.removed_at) if each.removed_at else ("linked", each.linked_at)
        click.echo(row(each.issuer, state, shown(since) if since else "-"))


@identities.command("remove")
@email_option
@issuer_option
@data_dir_option
def remove(email: str, issuer: str, data_dir: Path | None) -> None:
    """Let a provider sign somebody in no more, whatever it says. They are emailed, and sessions by providers end.

    Whoever has no password sets one by "Forgot password?".
    """
    known = load(data_dir=data_dir).oidc
    with opened(data_dir) as run:
        run(lambda database: resolvers.operators.identities.remove(database, known, email, issuer))
    click.echo(f"{issuer} no longer signs in {email}.")


@identities.command("allow")
@email_option
@issuer_option
@data_dir_option
def allow(email: str, issuer: str, data_dir: Path | None) -> None:
    """Let a provider sign somebody in again, once that was removed. They are emailed."""
    known = load(data_dir=data_dir).oidc
    with opened(data_dir) as run:
        run(lambda database: resolvers.operators.identities.allow(database, known, email, issuer))
    click.echo(f"{issuer} may sign in {email} again.")
