"""The commands for webhooks: endpoints that are told of events, and what they are told."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import click

import resolvers.operators.webhooks
import rules.events.json_schema
from db.webhooks import Webhook
from rules.chat import Format
from server.commands.keys import ring_of
from server.commands.operators import opened
from server.commands.options import data_dir_option, load, row

account_option = click.option("--account", "account_id", type=click.UUID, help="The account; the platform without.")


@click.group()
def webhooks() -> None:
    """Endpoints that are told of events, signed as Standard Webhooks has it."""


@webhooks.command("add")
@account_option
@click.option("--url", required=True, help="Where to tell: https:// in production, and no private address.")
@click.option("--type", "event_types", multiple=True, help="Of which events; of all without.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice([each.lower() for each in Format]),
    default="standard",
    show_default=True,
    help="How to tell: a channel of Slack or Teams by its incoming webhook.",
)
@click.option("--json", "as_json", is_flag=True, help="Print id and secret as one JSON object.")
@data_dir_option
def add(
    account_id: UUID | None,
    url: str,
    event_types: tuple[str, ...],
    format_name: str,
    as_json: bool,
    data_dir: Path | None,
) -> None:
    """Tell an endpoint of events from now on; prints its secret, once."""
    settings = load(data_dir=data_dir)
    ring = ring_of(settings)
    with opened(data_dir) as run:
        webhook_id, secret = run(
            lambda database: resolvers.operators.webhooks.add(
                database,
                ring,
                account_id,
                url,
                list(event_types),
                format_=Format(format_name.upper()),
                production=settings.production,
                allow_private=settings.webhook_allow_private,
            )
        )
    if as_json:
        click.echo(json.dumps({"id": str(webhook_id), "secret": secret}))
    else:
        click.echo(secret)
        click.echo(f"This is shown once. The webhook's id: {webhook_id}", err=True)


@webhooks.command("list")
@account_option
@data_dir_option
def list_webhooks(account_id: UUID | None, data_dir: Path | None) -> None:
    """List the endpoints of an account, or of the platform."""
    with opened(data_dir) as run:
        found: list[Webhook] = run(lambda database: resolvers.operators.webhooks.of_account(database, account_id))
    for webhook in found:
        state = "off" if webhook.disabled_at else "failing" if webhook.failing_since else "on"
        told = ",".join(webhook.event_types or ["all events"])
        click.echo(row(webhook.id, webhook.url, told, state, webhook.format.lower()))


@webhooks.command("test")
@click.argument("webhook_id", type=click.UUID)
@data_dir_option
def test(webhook_id: UUID, data_dir: Path | None) -> None:
    """Send a test to an endpoint, or a channel of Slack or Teams."""
    with opened(data_dir) as run:
        host = run(lambda database: resolvers.operators.webhooks.test(database, webhook_id))
    click.echo(f"A test is on its way to {host}.")


@webhooks.command("enable")
@click.argument("webhook_id", type=click.UUID)
@data_dir_option
def enable(webhook_id: UUID, data_dir: Path | None) -> None:
    """Switch an endpoint on again that was switched off: it had failed for three days.

    What has happened meanwhile was not written for it; what had failed before is sent by `resend`.
    """
    with opened(data_dir) as run:
        host = run(lambda database: resolvers.operators.webhooks.enable(database, webhook_id))
    click.echo(f"The webhook to {host} is on.")


@webhooks.command("resend")
@click.argument("webhook_id", type=click.UUID)
@data_dir_option
def resend(webhook_id: UUID, data_dir: Path | None) -> None:
    """Send an endpoint again whatever has failed there within the last 30 days, but for tests."""

    def tell(so_far: int) -> None:
        click.echo(f"{so_far} so far.", err=True)

    with opened(data_dir) as run:
        count, host = run(lambda database: resolvers.operators.webhooks.send_again(database, webhook_id, tell))
    click.echo(f"{count} on their way again to {host}.")


@webhooks.command("remove")
@click.argument("webhook_id", type=click.UUID)
@data_dir_option
def remove(webhook_id: UUID, data_dir: Path | None) -> None:
    """Tell an endpoint of nothing more."""
    with opened(data_dir) as run:
        host = run(lambda database: resolvers.operators.webhooks.remove(database, webhook_id))
    click.echo(f"The webhook to {host} is removed.")


@webhooks.command("schema")
@click.argument("event_type", required=False)
def schema(event_type: str | None) -> None:
    """Print the JSON Schema of each type's payload, or of one type's."""
    known = rules.events.json_schema.schemas()
    if event_type is not None and event_type not in known:
        raise click.BadParameter(f"There is no event type {event_type}.", param_hint="EVENT_TYPE")
    click.echo(json.dumps(known[event_type] if event_type else known, indent=2))
