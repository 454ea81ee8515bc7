"""What operators set about what an account's owners and admins hear, and the sessions of its staff."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click

import resolvers.operators.hearing
import server.commands.memberships
import server.commands.recovering
import server.commands.standing  # which have further commands of `account` and `staff`
from db.sessions import Session
from rules.alerts import AlertKind, AlertSetting, Wish
from rules.languages import LANGUAGES
from server.commands.operators import account, account_option, email_option, opened, staff
from server.commands.options import data_dir_option, load, row, shown

__all__ = ["account", "server", "staff"]

# Who gets a kind by email: owners, admins.
WHO = {"owners": (True, False), "admins": (False, True), "both": (True, True), "nobody": (False, False)}
KINDS = {kind.lower().replace("_", "-"): kind for kind in AlertKind}


class Choice(click.ParamType[Wish]):
    """KIND=WHO."""

    name = "KIND=WHO"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Wish:
        """The wish. Fails for what is none."""
        kind, _, who = value.partition("=")
        if kind not in KINDS or who not in WHO:
            self.fail(f"Give one of {', '.join(KINDS)}, then = and one of {', '.join(WHO)}.", param, ctx)
        return Wish(KINDS[kind], *WHO[who])


@account.command("alerts")
@account_option
@click.option("--set", "wishes", type=Choice(), multiple=True, help="Who gets a kind by email from now on.")
@data_dir_option
def alerts(account_id: UUID, wishes: tuple[Wish, ...], data_dir: Path | None) -> None:
    """List which alerts are emailed to owners and admins, once changed as --set says; owners are told of a change."""
    wanted = {wish.kind: wish for wish in wishes}
    with opened(data_dir) as run:
        held: list[AlertSetting] = run(
            lambda database: (
                resolvers.operators.hearing.set_alerts(database, account_id, wanted)
                if wanted
                else resolvers.operators.hearing.alerts(database, account_id)
            )
        )
    names = {kind: name for name, kind in KINDS.items()}
    for each in held:
        who = next(name for name, given in WHO.items() if given == (each.email, each.email_admins))
        click.echo(row(names[each.kind], who))


@account.command("language")
@account_option
@click.argument("language", type=click.Choice(LANGUAGES))
@data_dir_option
def language(account_id: UUID, language: str, data_dir: Path | None) -> None:
    """Set the language of emails to whoever has chosen none, and of messages to Slack and Teams."""
    with opened(data_dir) as run:
        run(lambda database: resolvers.operators.hearing.set_language(database, account_id, language))
    click.echo(f"The account's language is {language} now.")


@staff.command("sessions")
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


@staff.command("end-session")
@click.argument("session_id", type=click.UUID)
@account_option
@email_option
@data_dir_option
def end_session(session_id: UUID, account_id: UUID, email: str, data_dir: Path | None) -> None:
    """End one session of a staff member. They are emailed."""
    with opened(data_dir) as run:
        run(lambda database: resolvers.operators.hearing.end_session(database, account_id, email, session_id))
    click.echo(f"The session of {email} has ended.")
