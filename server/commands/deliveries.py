"""What operators see and do of emails on their way: how many wait, which failed and why, and trying those again."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import click

import db.delivery_status
import resolvers.operators.deliveries
from db.delivery_status import Failed, SetAside, StateCount
from db.pool import Database
from server.commands.operators import opened
from server.commands.options import data_dir_option, printable

MOST_LISTED = 1000
GREATEST_ID = 2**63 - 1  # of a bigint

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")


@click.group()
def deliveries() -> None:
    """Emails on their way, and events that no email could be made of."""


@deliveries.command()
@json_option
@data_dir_option
def status(as_json: bool, data_dir: Path | None) -> None:
    """Count deliveries by queue and state, with the age of the oldest; and the events not yet dispatched."""

    async def load(database: Database) -> list[StateCount]:
        async with database.connection() as connection:
            return await db.delivery_status.counts(connection)

    with opened(data_dir) as run:
        counts: list[StateCount] = run(load)
    for each in counts:
        if as_json:
            click.echo(json.dumps(asdict(each)))
        else:
            click.echo(f"{each.queue:<9} {each.state:<13} {each.count:>9,}   oldest {_age(each.oldest_s)}")
    if not counts and not as_json:
        click.echo("Nothing is on its way.")


@deliveries.command("list")
@click.option("--failed", "only_failed", is_flag=True, required=True, help="Those that did not get through.")
@json_option
@data_dir_option
def list_failed(only_failed: bool, as_json: bool, data_dir: Path | None) -> None:
    """List the newest failed deliveries, and the events that were set aside, each with its reason."""

    async def load(database: Database) -> tuple[list[Failed], list[SetAside]]:
        async with database.connection() as connection:
            failed = await db.delivery_status.failed(connection, MOST_LISTED)
            return failed, await db.delivery_status.set_aside(connection, MOST_LISTED)

    with opened(data_dir) as run:
        failed, events = run(load)
    for each in [*failed, *events]:
        kind = "delivery" if isinstance(each, Failed) else "event"
        if as_json:
            click.echo(json.dumps({"kind": kind, **asdict(each)}, default=str))
        elif isinstance(each, Failed):
            told = f"{each.message} to {each.email}, {each.attempts} tried: {each.last_error}"
            click.echo(printable(f"{kind} {each.id}: {told}"))
        else:
            click.echo(printable(f"{kind} {each.id}: {each.type}: {each.failure}"))


@deliveries.command()
@click.argument("ids", nargs=-1, type=click.IntRange(1, GREATEST_ID))
@click.option("--all", "all_of_them", is_flag=True, help="Every failed delivery, and every event that was set aside.")
@data_dir_option
def retry(ids: tuple[int, ...], all_of_them: bool, data_dir: Path | None) -> None:
    """Try failed deliveries again, by their IDS or --all, for another whole retry time."""
    if bool(ids) == all_of_them:
        raise click.UsageError("Give the ids of deliveries, or --all.")

    with opened(data_dir) as run:
        tried, events = run(
            lambda database: resolvers.operators.deliveries.retry(database, None if all_of_them else list(ids))
        )
    click.echo(f"{tried:,} deliveries and {events:,} events will be tried again.")


def _age(seconds: float) -> str:
    return str(timedelta(seconds=int(max(seconds, 0))))
