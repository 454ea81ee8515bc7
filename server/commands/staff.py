"""`gatehouse staff`: who has which role. What it has for exceptions, sessions and lost phones stands beside."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import click

import resolvers.operators.accounts
import resolvers.operators.importing
import resolvers.operators.staff
from db.pool import Database
from db.staff import Member
from resolvers.operators.importing import Report, Wishes
from rules.people import Role
from rules.sealing import KeyRing
from server.commands import staff_exceptions, staff_recovery, staff_sessions
from server.commands.keys import ring_of
from server.commands.operators import (
    account_option,
    email_option,
    newcomer,
    opened,
    role_option,
    say,
    shared_options,
)
from server.commands.options import data_dir_option, load, row

MOST_PROBLEMS_SHOWN = 1000
MOST_STRETCHES_SHOWN = 10


@click.group()
def staff() -> None:
    """People with a role in an account."""


for beside in (*staff_exceptions.COMMANDS, *staff_recovery.COMMANDS, *staff_sessions.COMMANDS):
    staff.add_command(beside)


@staff.command("list")
@account_option
@data_dir_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def list_staff(account_id: UUID, data_dir: Path | None, as_json: bool) -> None:
    """List everyone with a role in an account, with their MFA."""

    async def show(database: Database) -> None:
        members: AsyncIterator[Member] = resolvers.operators.staff.list_staff(database, account_id)
        async for member in members:
            if as_json:
                click.echo(json.dumps(dict(member), default=str))
            else:
                click.echo(row(member.email, member.role.lower(), member.mfa_state.lower().replace("_", " ")))

    with opened(data_dir) as run:
        run(show)


@staff.command("add")
@account_option
@email_option
@role_option
@click.option("--invite", is_flag=True, help="Let a new person choose the password, by a link in an email.")
@shared_options
def add_staff(
    account_id: UUID, email: str, role: str, invite: bool, data_dir: Path | None, password_stdin: bool, as_json: bool
) -> None:
    """Give a person a role in an account; a known person keeps the password."""
    if invite:
        _invite(data_dir, account_id, email, role, as_json)
        return
    person = newcomer(data_dir, email, password_stdin)
    with opened(data_dir) as run:
        user_id, staff_id = run(
            lambda d: resolvers.operators.accounts.add_staff(d, account_id, person, Role(role.upper()))
        )
    say(as_json, f"Added {email} as {role}.", accountId=account_id, userId=user_id, staffId=staff_id)


def _invite(data_dir: Path | None, account_id: UUID, email: str, role: str, as_json: bool) -> None:
    with opened(data_dir) as run:
        user_id, staff_id, is_invited = run(
            lambda d: resolvers.operators.accounts.invite_staff(d, account_id, email, Role(role.upper()))
        )
    done = "Invited" if is_invited else "Added"
    say(as_json, f"{done} {email} as {role}.", accountId=account_id, userId=user_id, staffId=staff_id)


@staff.command("role")
@account_option
@email_option
@role_option
@data_dir_option
def change_role(account_id: UUID, email: str, role: str, data_dir: Path | None) -> None:
    """Change a staff member's role. The last owner stays one."""
    with opened(data_dir) as run:
        run(lambda database: resolvers.operators.staff.change_role(database, account_id, email, Role(role.upper())))
    click.echo(f"{email} is now {role.lower()}.")


@staff.command("remove")
@account_option
@email_option
@data_dir_option
def remove(account_id: UUID, email: str, data_dir: Path | None) -> None:
    """Take a staff member's role away. The last owner stays."""
    with opened(data_dir) as run:
        run(lambda database: resolvers.operators.staff.remove_staff(database, account_id, email))
    click.echo(f"{email} is no longer staff.")


@staff.command("import")
@click.argument("file", type=click.File("rb"))
@account_option
@click.option("--atomic", is_flag=True, help="Apply nothing when any line is bad.")
@click.option("--invite", is_flag=True, help="Invite whoever has no password to choose one, by a link in an email.")
@data_dir_option
def import_file(file: BinaryIO, account_id: UUID, atomic: bool, invite: bool, data_dir: Path | None) -> None:
    """Give roles to everyone in a CSV file with the columns email and role; - reads standard input.

    Whoever is staff already keeps the role. Two more columns bring along what new people sign in with: password_hash
    (argon2id, bcrypt, scrypt, or Django's PBKDF2) and totp_secret (base32). Whoever has no password sets one by a link:
    of an invitation, or of "Forgot password?".
    """
    done = 0

    def progress(lines: int) -> None:
        nonlocal done
        done += lines
        click.echo(f"\r{done:,} lines", nl=False, err=True)

    def ring() -> KeyRing:
        return ring_of(load(data_dir=data_dir))

    async def work(database: Database) -> Report:
        return await resolvers.operators.importing.import_staff(
            database, ring, account_id, file, Wishes(atomic, invite), progress
        )

    with opened(data_dir) as run:
        report: Report = run(work)
    if done:
        click.echo(err=True)
    for line, problem in report.problems[:MOST_PROBLEMS_SHOWN]:
        click.echo(f"line {line}: {problem}.", err=True)
    if len(report.problems) > MOST_PROBLEMS_SHOWN:
        click.echo(f"and {len(report.problems) - MOST_PROBLEMS_SHOWN:,} more.", err=True)
    bad = f", {len(report.problems):,} bad" if report.problems else ""
    invited = f", {report.invited:,} invited" if invite else ""
    click.echo(f"{report.added:,} added{invited}, {report.known:,} staff already{bad}.{_within_quotes(report)}")
    if report.problems:
        raise click.exceptions.Exit(1)


def _within_quotes(report: Report) -> str:
    """What quotes have taken in, in sentences: nothing is left out unsaid."""
    said = ""
    if report.unread:
        shown = [f"{first} to {last}" for first, last in report.unread[:MOST_STRETCHES_SHOWN]]
        if (others := len(report.unread) - len(shown)) > 0:
            shown.append(f"in {others:,} more stretches")
        said += f" Lines {', '.join(shown)} were not read."
    if report.within:
        lines = "1 line was" if report.within == 1 else f"{report.within:,} lines were"
        said += f" {lines} read as more of a cell."
    return said
