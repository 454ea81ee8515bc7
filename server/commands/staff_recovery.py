"""`gatehouse staff`: what operators do about people who have lost their phone."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

import click

import resolvers.operators.recovering
from db.account_recovery import Waiting
from db.resets import Request
from db.staff import Member
from server.commands.operators import account_option, email_option, opened, reason_option
from server.commands.options import data_dir_option, row, shown


@click.command("recovery-pass")
@account_option
@email_option
@reason_option
@click.option("--json", "as_json", is_flag=True, help="Print the pass and its end as one JSON object.")
@data_dir_option
def recovery_pass(account_id: UUID, email: str, reason: str, as_json: bool, data_dir: Path | None) -> None:
    """Print a pass that replaces a lost authenticator, once. The person and the owners are emailed.

    It takes the second factor's place at one sign-in within 60 minutes; that sets up a new app and can do nothing else.
    The old app and codes work until the new app has shown a code.
    """
    with opened(data_dir) as run:
        token, until = run(
            lambda database: resolvers.operators.recovering.give_pass(database, account_id, email, reason)
        )
    if as_json:
        click.echo(json.dumps({"recoveryPass": token, "expiresAt": shown(until)}))
    else:
        click.echo(token)
        click.echo(f"This is shown once, for {email} alone, and holds until {shown(until)}.", err=True)


@click.command("resets")
@account_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@data_dir_option
def list_resets(account_id: UUID, as_json: bool, data_dir: Path | None) -> None:
    """List resets that wait for a second owner or admin: id, whose, who asked, until when, why.

    An operator approves none: `gatehouse mfa reset` needs no approval, and ends what waits.
    """
    with opened(data_dir) as run:
        found: list[tuple[Request, Member]] = run(
            lambda database: resolvers.operators.recovering.resets(database, account_id)
        )
    for each, member in found:
        if as_json:
            click.echo(json.dumps(asdict(each) | {"email": member.email}, default=str))
        else:
            until = shown(each.expires_at)
            click.echo(row(each.id, member.email, each.requester_email, until, each.reason or "-"))


@click.command("decline-reset")
@click.argument("reset_id", type=click.UUID)
@account_option
@data_dir_option
def decline_reset(reset_id: UUID, account_id: UUID, data_dir: Path | None) -> None:
    """Decline a reset that waits. The person, the owners and whoever asked are emailed."""
    with opened(data_dir) as run:
        email = run(lambda database: resolvers.operators.recovering.decline_reset(database, account_id, reset_id))
    click.echo(f"The reset of {email} is off.")


@click.command("recoveries")
@account_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@data_dir_option
def list_recoveries(account_id: UUID, as_json: bool, data_dir: Path | None) -> None:
    """List who waits to come back alone: email, since when, when their MFA is reset."""
    with opened(data_dir) as run:
        found: list[Waiting] = run(lambda database: resolvers.operators.recovering.recoveries(database, account_id))
    for each in found:
        if as_json:
            click.echo(json.dumps(asdict(each), default=str))
        else:
            click.echo(row(each.email, shown(each.started_at), shown(each.ends_at)))


@click.command("stop-recovery")
@account_option
@email_option
@data_dir_option
def stop_recovery(account_id: UUID, email: str, data_dir: Path | None) -> None:
    """Stop somebody's coming back alone. They are emailed."""
    with opened(data_dir) as run:
        run(lambda database: resolvers.operators.recovering.stop_recovery(database, account_id, email))
    click.echo(f"{email} waits no more to come back alone.")


COMMANDS = (recovery_pass, list_resets, decline_reset, list_recoveries, stop_recovery)
