"""The database's migrations, applied or only looked at."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import click

from server.checks import DatabaseError, migrate_database, read_ledger
from server.commands.options import data_dir_option, load
from server.local.data_dir import database_for_operator


@click.command()
@data_dir_option
@click.option("--check", is_flag=True, help="Change nothing; status 1 when this version cannot run on the database.")
@click.option("--plan", is_flag=True, help="Change nothing; print what would be applied, and of which kind each is.")
def migrate(data_dir: Path | None, check: bool, plan: bool) -> None:
    """Bring the database up to date."""
    settings = load(data_dir=data_dir)
    with nullcontext(settings.direct_url) if settings.database_url else database_for_operator(settings.data_dir) as url:
        if check or plan:
            _look(url, check=check, plan=plan)
            return
        for migration in migrate_database(url):
            click.echo(f"{migration.number:04d} {migration.name} ({migration.kind})")
    click.echo("The database is up to date.")


def _look(url: str, *, check: bool, plan: bool) -> None:
    ledger = read_ledger(url)
    if plan:
        for migration in ledger.missing:
            click.echo(f"{migration.number:04d} {migration.name} ({migration.kind})")
    if ledger.problem and (check or ledger.breaking):
        raise DatabaseError(ledger.problem)
    if not ledger.missing:
        click.echo("The database is up to date.")
