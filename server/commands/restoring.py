"""What operators do once the database is one out of a backup."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

import resolvers.operators.restoring
from resolvers.operators.restoring import Restored
from server.commands.operators import opened
from server.commands.options import data_dir_option, row

WARNING = "Everybody is signed out, and every link in an email ends. Go on?"


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask first.")
@click.option("--json", "as_json", is_flag=True, help="Print what was ended, and the service keys, as one JSON object.")
@data_dir_option
def restored(yes: bool, as_json: bool, data_dir: Path | None) -> None:
    """End what may have ended since the backup that the database was restored from.

    That is all sessions, challenges, links in emails, recovery passes, cookies of known devices, and resets and account
    recoveries that wait, of which people are emailed. Run it before any part is started. It lists the service keys:
    revoke those that were revoked since.
    """
    if not yes:
        click.confirm(WARNING, abort=True)
    with opened(data_dir) as run:
        done: Restored = run(resolvers.operators.restoring.end_all)
    if as_json:
        click.echo(json.dumps(asdict(done), default=str))
        return
    counts = asdict(done.ended) | {"resets": done.resets, "recoveries": done.recoveries}
    click.echo("Ended: " + ", ".join(f"{name} {count:,}" for name, count in counts.items()), err=True)
    for key in done.service_keys:
        click.echo(row(key.id, key.name, ",".join(key.rights), key.account_id or "all accounts"))
