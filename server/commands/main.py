"""The command line: every part alone, all parts together, and what operators do."""

from __future__ import annotations

import json
import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

# Nothing here that takes long to import: --help shows no more than what stands below.
from server.commands.options import data_dir_option, load

if TYPE_CHECKING:
    from settings import Settings

# The operators' commands, each imported when it is asked for: the parts start the faster without them.
OPERATORS = {
    "account": "server.commands.operators",
    "clock": "server.commands.clock",
    "deliveries": "server.commands.deliveries",
    "doctor": "server.commands.doctor",
    "emails": "server.commands.emails",
    "evidence": "server.commands.evidence",
    "keys": "server.commands.keys",
    "mfa": "server.commands.memberships",
    "migrate": "server.commands.migrating",
    "portal": "server.commands.operators",
    "sbom": "server.commands.sbom",
    "service-keys": "server.commands.service_keys",
    "settings": "server.commands.settings",
    "domains": "server.commands.domains",
    "staff": "server.commands.memberships",
    "webhooks": "server.commands.webhooks",
    "super-admin": "server.commands.memberships",
}


# What --help says of each, as the command itself does.
SHORT_HELP = {
    "account": "Accounts (agencies).",
    "domains": "Email domains of accounts: which OpenID provider vouches for their addresses.",
    "clock": "Let time pass in the database of `gatehouse up`.",
    "deliveries": "Emails on their way, and events that no email could be made of.",
    "doctor": "Say what is wrong: database, migrations, keys, clock, events and emails that wait, broker, mail.",
    "emails": "The emails that Gatehouse sends.",
    "evidence": "Evidence for an auditor: what happened on an account, chained and signed.",
    "keys": "The keys that seal TOTP secrets and digest backup codes.",
    "mfa": "People's second factors.",
    "migrate": "Bring the database up to date.",
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
        """Run the command."""
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
        """One command."""
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


host_option = click.option("--host", help="The address to listen on [GATEHOUSE_HOST, 127.0.0.1].")
port_option = click.option("--port", type=click.IntRange(0, 65535), help="The port [GATEHOUSE_PORT, 8000].")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="gatehouse")
def main() -> None:
    """Gatehouse: multi-factor authentication for agencies.

    Settings are environment variables named GATEHOUSE_*; an option goes before its variable.
    """
    from settings import unknown_variables

    for sentence in unknown_variables(os.environ):
        click.echo(f"Warning: {sentence}", err=True)


@main.command()
@host_option
@port_option
@data_dir_option
@click.option("--no-demo", is_flag=True, help="Make no demo account in an empty database.")
def up(host: str | None, port: int | None, data_dir: Path | None, no_demo: bool) -> None:
    """Run everything: API, relay, worker, beat, and the database, broker and mailbox that are not set."""
    from server.local.up import run

    run(load(host=host, port=port, data_dir=data_dir), demo=not no_demo)


@main.command()
@host_option
@port_option
@click.option("--workers", type=click.IntRange(1, 256), default=1, help="So many processes on the one port [1].")
@click.option("--listener", type=int, hidden=True)
def serve(host: str | None, port: int | None, workers: int, listener: int | None) -> None:
    """Run the API."""
    from server.checks import check_database, require
    from server.transport.sockets import inherited, listen

    settings = load(host=host, port=port)
    require(settings, "database_url")
    if workers > 1:
        _serve_by_many(settings, workers)
        return
    from server.app import create_app
    from server.status.serving import status
    from server.transport import serving
    from telemetry import traces

    traces.start("api")
    app = create_app(settings)
    bound = listen(settings.host, settings.port) if listener is None else inherited(listener)
    check_database(settings)
    with status(settings):
        serving.run(app, bound, drain_s=settings.drain_seconds)


def _serve_by_many(settings: Settings, workers: int) -> None:
    from server.checks import check_database
    from server.local import workers as processes
    from server.transport.sockets import listen

    # What a worker would stumble over is told once, before any is started.
    _ = settings.keys
    with listen(settings.host, settings.port) as listener:
        check_database(settings)
        processes.run(settings, listener, workers)


@main.command()
def worker() -> None:
    """Run a Celery worker: plans and sends emails."""
    from server.checks import check_database, require
    from server.status.serving import status
    from telemetry import traces
    from workers.processes import worker_main

    settings = load()
    require(settings, "database_url", "broker_url", "smtp_url")
    traces.start("worker")
    check_database(settings)
    with status(settings):
        worker_main(settings)


@main.command()
def beat() -> None:
    """Run the timetable: sweeps and reminders. One is enough, more do no harm."""
    from server.checks import require
    from server.status.serving import status
    from workers.processes import beat_main

    settings = load()
    require(settings, "broker_url")
    with status(settings, needs_database=False):
        beat_main(settings)


@main.command()
def relay() -> None:
    """Run a relay: hands new events to the workers. Any number may run."""
    from server.checks import check_database, require
    from server.status.serving import status
    from workers.relay import relay_main

    settings = load()
    require(settings, "database_url", "broker_url")
    check_database(settings)
    with status(settings):
        relay_main(settings)


@main.command()
@click.option("--possible-types", is_flag=True, help="Print the types of each interface and union as JSON instead.")
def schema(possible_types: bool) -> None:
    """Print the GraphQL schema (SDL)."""
    from schema import roots

    click.echo(json.dumps(roots.possible_types(), indent=2) if possible_types else roots.build().as_str())


@main.command(hidden=True)
@click.option("--folder", type=click.Path(path_type=Path), required=True)
@click.option("--smtp-listener", type=int, required=True)
@click.option("--http-listener", type=int, required=True)
def mailbox(folder: Path, smtp_listener: int, http_listener: int) -> None:
    """Run the mailbox of `gatehouse up`, on sockets that it inherits."""
    from server.local.mailbox import application
    from server.transport import serving
    from server.transport.sockets import inherited

    load()
    serving.run(application(folder, inherited(smtp_listener)), inherited(http_listener))


if __name__ == "__main__":
    main()
