"""The command line: every part alone, all parts together, and what operators do."""

from __future__ import annotations

import json
import os
from importlib import import_module
from typing import Any

import click

# Nothing here that takes long to import: --help shows no more than what stands below.
from server.commands.parts import beat, mailbox, relay, serve, up, worker

# The operators' commands, each imported when it is asked for: the parts start the faster without them.
OPERATORS = {
    "account": "server.commands.account",
    "clock": "server.commands.clock",
    "deliveries": "server.commands.deliveries",
    "doctor": "server.commands.doctor",
    "emails": "server.commands.emails",
    "evidence": "server.commands.evidence",
    "identities": "server.commands.identities",
    "keys": "server.commands.keys",
    "mfa": "server.commands.mfa",
    "migrate": "server.commands.migrating",
    "portal": "server.commands.portal",
    "restored": "server.commands.restoring",
    "sbom": "server.commands.sbom",
    "service-keys": "server.commands.service_keys",
    "settings": "server.commands.settings",
    "domains": "server.commands.domains",
    "staff": "server.commands.staff",
    "webhooks": "server.commands.webhooks",
    "super-admin": "server.commands.super_admin",
}


# What --help says of each, as the command itself does.
SHORT_HELP = {
    "account": "Accounts (agencies).",
    "domains": "Email domains of accounts: which OpenID provider vouches for their addresses.",
    "clock": "Let time pass in the database of `gatehouse up`.",
    "deliveries": "Emails on their way, and events that no email could be made of.",
    "doctor": "Say what is wrong: database, migrations, keys, clock, events, emails, webhooks, broker, mail.",
    "emails": "The emails that Gatehouse sends.",
    "evidence": "Evidence for an auditor: what happened on an account, chained and signed.",
    "identities": "People's accounts at OpenID providers, by which they sign in.",
    "keys": "The keys that seal TOTP secrets and digest backup codes.",
    "mfa": "People's second factors.",
    "migrate": "Bring the database up to date.",
    "restored": "End what may have ended since the backup that the database was restored from.",
    "sbom": "Print a software bill of materials (CycloneDX, JSON): what Gatehouse needs, as it is installed here.",
    "portal": "People who only use an account's portal; they have no role.",
    "service-keys": "Keys by which the product's systems ask: Authorization: Bearer gh_k_…",
    "settings": "List every setting: its variable, what it means, and what holds while it is unset.",
    "staff": "People with a role in an account.",
    "super-admin": "Platform operators, who may view every account's security page and change nothing there.",
    "webhooks": "Endpoints that are told of events, signed as Standard Webhooks has it.",
}


class Commands(click.Group):
    """A group whose commands end in one plain sentence and status 1 when something expected goes wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OSError as error:
            raise click.ClickException(f"{error.strerror or error}: {error.filename or ctx.info_name}.") from None
        except Exception as error:
            if isinstance(error, _plain_errors()):
                raise click.ClickException(str(error)) from None
            raise

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The parts and what operators do."""
        return sorted([*super().list_commands(ctx), *OPERATORS])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        shown = click.Group(commands=dict(self.commands))
        for name in OPERATORS:
            text = SHORT_HELP.get(name)
            command = click.Command(name, short_help=text) if text else self.get_command(ctx, name)
            assert command
            shown.add_command(command)
        click.Group.format_commands(shown, ctx, formatter)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in OPERATORS:
            command: click.Command = getattr(import_module(OPERATORS[cmd_name]), cmd_name.replace("-", "_"))
            return command
        return super().get_command(ctx, cmd_name)


def _plain_errors() -> tuple[type[Exception], ...]:
    from db.migrate import MigrationError
    from resolvers.operators.finding import OperatorError
    from server.checks import DatabaseError
    from server.local.processes import PartError
    from server.transport.sockets import ListenError
    from settings import SettingsError
    from telemetry.traces import TracesError

    return SettingsError, TracesError, DatabaseError, MigrationError, PartError, ListenError, OperatorError


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="gatehouse")
def main() -> None:
    """Gatehouse: multi-factor authentication for agencies.

    Settings are environment variables named GATEHOUSE_*; an option goes before its variable.
    """
    from settings import unknown_variables

    for sentence in unknown_variables(os.environ):
        click.echo(f"Warning: {sentence}", err=True)


for part in (up, serve, worker, beat, relay, mailbox):
    main.add_command(part)


@main.command()
@click.option("--possible-types", is_flag=True, help="Print the types of each interface and union as JSON instead.")
def schema(possible_types: bool) -> None:
    """Print the GraphQL schema (SDL)."""
    from schema import roots

    click.echo(json.dumps(roots.possible_types(), indent=2) if possible_types else roots.build().as_str())


if __name__ == "__main__":
    main()
