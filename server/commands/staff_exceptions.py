"""`gatehouse staff`: exceptions from an account's MFA requirement."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from uuid import UUID

import click

import resolvers.operators.standing
from db.exceptions import MfaException
from resolvers.operators.standing import Wanted
from rules.standing import ExceptionKind
from server.commands.operators import account_option, emails_option, opened, reason_option
from server.commands.options import Instant, data_dir_option, row, shown

until_option = click.option(
    "--until", type=Instant(), required=True, help="When it ends, ISO 8601: within 90 days; without a zone it is UTC."
)


@click.command("extend")
@account_option
@emails_option
@until_option
@reason_option
@data_dir_option
def extend(account_id: UUID, emails: tuple[str, ...], until: datetime, reason: str, data_dir: Path | None) -> None:
    """Give staff members more time to set up MFA. They and the owners are emailed."""
    _give(data_dir, account_id, Wanted(ExceptionKind.EXTENDED, emails, until, reason))


@click.command("exempt")
@account_option
@emails_option
@until_option
@reason_option
@click.option("--break-glass", is_flag=True, help="Tell all owners of each sign-in at once.")
@data_dir_option
def exempt(
    account_id: UUID,
    emails: tuple[str, ...],
    until: datetime,
    reason: str,
    break_glass: bool,
    data_dir: Path | None,
) -> None:
    """Ask staff members for no MFA until then. They and the owners are emailed."""
    _give(data_dir, account_id, Wanted(ExceptionKind.EXEMPTED, emails, until, reason, break_glass))


@click.command("exceptions")
@account_option
@click.option("--ended", is_flag=True, help="List those that have ended, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@data_dir_option
def list_exceptions(account_id: UUID, ended: bool, as_json: bool, data_dir: Path | None) -> None:
    """List who is excepted from MFA, the newest first: id, email, kind, end, author, reason."""
    with opened(data_dir) as run:
        found: list[MfaException] = run(
            lambda database: resolvers.operators.standing.listed(database, account_id, with_ended=ended)
        )
    for each in found:
        click.echo(json.dumps(asdict(each), default=str) if as_json else line(each))


@click.command("end-exception")
@click.argument("exception_id", type=click.UUID)
@account_option
@data_dir_option
def end_exception(exception_id: UUID, account_id: UUID, data_dir: Path | None) -> None:
    """End an exception before its time. The person is emailed."""
    with opened(data_dir) as run:
        email = run(lambda database: resolvers.operators.standing.end(database, account_id, exception_id))
    click.echo(f"The exception of {email} has ended.")


def _give(data_dir: Path | None, account_id: UUID, wanted: Wanted) -> None:
    with opened(data_dir) as run:
        given: list[MfaException] = run(
            lambda database: resolvers.operators.standing.give(database, account_id, wanted)
        )
    for each in given:
        click.echo(line(each))


def line(each: MfaException) -> str:
    """An exception as it is listed."""
    kind = "break-glass" if each.is_break_glass else each.kind.lower()
    return row(each.id, each.email, kind, shown(each.until), each.author_email or "an operator", each.reason)


COMMANDS = (extend, exempt, list_exceptions, end_exception)
