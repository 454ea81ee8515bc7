"""`gatehouse account`: what operators do about an account as a whole."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from uuid import UUID

import click

import resolvers.operators.accounts
import resolvers.operators.hearing
import resolvers.operators.recovering
import resolvers.operators.standing
from db.compliance import Compliance
from db.exceptions import MfaException
from db.pool import Database
from resolvers.operators.finding import OperatorError
from rules.alerts import AlertKind, AlertSetting, Wish
from rules.languages import LANGUAGES
from server.commands.operators import Email, account_option, newcomer, opened, say, shared_options
from server.commands.options import Instant, data_dir_option, row, shown
from server.commands.staff_exceptions import line

LONGEST_NAME = 200
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


@click.group()
def account() -> None:
    """Accounts (agencies)."""


@account.command("create")
@click.option("--name", required=True, help="The account's name.")
@click.option("--owner", type=Email(), required=True, help="The owner's email; a known person keeps the password.")
@shared_options
def create_account(name: str, owner: str, data_dir: Path | None, password_stdin: bool, as_json: bool) -> None:
    """Create an account with its owner."""
    name = _checked_name(name)
    person = newcomer(data_dir, owner, password_stdin)
    with opened(data_dir) as run:
        account_id, user_id, staff_id = run(lambda d: resolvers.operators.accounts.create_account(d, name, person))
    say(as_json, f"Created {name}, owned by {owner}.", accountId=account_id, userId=user_id, staffId=staff_id)


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


@account.command("lock-out")
@account_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line, of each person at risk.")
@data_dir_option
def lock_out(account_id: UUID, as_json: bool, data_dir: Path | None) -> None:
    """List who could not come back today after losing their phone: email, role, codes left, why."""

    async def show(database: Database) -> None:
        found, risks = await resolvers.operators.recovering.forecast(database, account_id)
        if not as_json:
            counted = ", ".join(f"{_words(reason)} {count:,}" for reason, count in found.by_reason.items())
            click.echo(f"{found.total:,} at risk: {counted}", err=True)
        async for risk in risks:
            if as_json:
                click.echo(json.dumps(asdict(risk), default=str))
            else:
                why = ", ".join(_words(reason) for reason in risk.reasons)
                click.echo(row(risk.email, risk.role.lower(), risk.backup_codes_remaining, why))

    with opened(data_dir) as run:
        run(show)


@account.command("compliance")
@account_option
@click.option("--at", type=Instant(), help="A past instant, ISO 8601; without a zone it is UTC. Now without it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with the exceptions that held.")
@data_dir_option
def compliance(account_id: UUID, at: datetime | None, as_json: bool, data_dir: Path | None) -> None:
    """Say how an account complied with its own MFA requirement, now or then: policy, counts, exceptions."""
    with opened(data_dir) as run:
        result: tuple[Compliance, list[MfaException]] = run(
            lambda database: resolvers.operators.standing.compliance(database, account_id, at)
        )
    found, exceptions = result
    if as_json:
        rows = [asdict(each) for each in exceptions]
        click.echo(json.dumps(asdict(found) | {"exceptions": rows}, default=str))
        return
    for name, value in asdict(found).items():
        text = shown(value) if isinstance(value, datetime) else value
        click.echo(row(name.replace("_", " "), "-" if text is None else text))
    for each in exceptions:
        click.echo(line(each))


def _checked_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise OperatorError(f"The account's name must have 1 to {LONGEST_NAME} printable characters.")
    return name


def _words(reason: str) -> str:
    return reason.lower().replace("_", " ")
