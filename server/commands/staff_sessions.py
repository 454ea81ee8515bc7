"""`gatehouse staff`: where a staff member is signed in."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click

import resolvers.operators.hearing
from db.sessions import Session
from server.commands.operators import account_option, email_option, opened
from server.commands.options import data_dir_option, load, row, shown


@click.command("sessions")
@account_option
@email_option
@data_dir_option
def sessions(account_id: UUID, email: str, data_dir: Path | None) -> None:
    """List where a staff member is signed in: id, last use, address, program."""
    idle = load(data_dir=data_dir).time_limits.session_idle
    with opened(data_dir) as run:
        found: list[Session] = run(
            lambda database: resolvers.operators.hearing.sessions(database, account_id, email, idle)
        )
    for each in found:
        used = shown(each.last_used_at)
        click.echo(row(each.id, used, each.ip_address or "-", each.user_agent or "-"))


@click.command("end-session")
@click.argument("session_id", type=click.UUID)
@account_option
@email_option
@data_dir_option
def end_session(session_id: UUID, account_id: UUID, email: str, data_dir: Path | None) -> None:
    """End one session of a staff member. They are emailed."""
    with opened(data_dir) as run:
        run(lambda database: resolvers.operators.hearing.end_session(database, account_id, email, session_id))
    click.echo(f"The session of {email} has ended.")


COMMANDS = (sessions, end_session)
