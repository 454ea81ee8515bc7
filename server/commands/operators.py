"""What commands of operators share: options, the way to the database, passwords of new people, and how they answer."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import click

import db.operators
import db.pool
import rules.addresses
import rules.passwords
from db.pool import Database
from resolvers.operators.accounts import Newcomer
from resolvers.operators.finding import OperatorError
from rules.people import Role
from server.checks import check_database, migrate_database, plain_outage
from server.commands.options import data_dir_option, load
from server.local.data_dir import database_for_operator
from settings import Settings
from telemetry import operators

Result = TypeVar("Result")
Command = Callable[..., Any]


class Email(click.ParamType[str]):
    """An address that mail can be sent to, in lower case."""

    name = "email"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check and normalise."""
        try:
            return rules.addresses.checked(str(value))
        except rules.addresses.NotAnAddressError as error:
            self.fail(f"{value!r} is no email address: {error}", param, ctx)


def shared_options(command: Command) -> Command:
    """The options of every operator command."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print the ids as one JSON object."),
        click.option("--password-stdin", is_flag=True, help="Read a new person's password from standard input."),
        data_dir_option,
    ):
        command = option(command)
    return command


account_option = click.option("--account", "account_id", type=click.UUID, required=True, help="The account's id.")
email_option = click.option("--email", type=Email(), required=True, help="The person's email.")
emails_option = click.option(
    "--email", "emails", type=Email(), multiple=True, required=True, help="A person's email; any number of times."
)
reason_option = click.option("--reason", required=True, help="Why, for the audit log: up to 500 characters.")
role_option = click.option(
    "--role",
    type=click.Choice([role.lower() for role in Role], case_sensitive=False),
    required=True,
    help="What the person may do from now on.",
)


Run = Callable[[Callable[[Database], Awaitable[Any]]], Any]


@contextmanager
def opened(data_dir: Path | None) -> Iterator[Run]:
    """A way to run work on the database. Raises OperatorError and DatabaseError."""
    operators.begin()
    with database_url(load(data_dir=data_dir)) as url:
        yield lambda work: _run(url, work)


@contextmanager
def database_url(settings: Settings) -> Iterator[str]:
    """The database's URL: the one that is set, with its migrations checked, or our own, brought up to date."""
    if settings.database_url:
        check_database(settings)
        yield settings.direct_url
        return
    with database_for_operator(settings.data_dir) as url:
        migrate_database(url)
        yield url


def _run(url: str, work: Callable[[Database], Awaitable[Result]]) -> Result:
    async def connected() -> Result:
        database = await db.pool.open_database(url, 1, "gatehouse-operator")
        try:
            return await work(database)
        finally:
            await database.close()

    try:
        return asyncio.run(connected())
    except Exception as error:
        raise plain_outage(error) from None


def newcomer(data_dir: Path | None, email: str, password_stdin: bool) -> Newcomer:
    """The person, asked for a password only when new, and while no other command waits for the database."""

    async def is_known(database: Database) -> bool:
        async with database.connection() as connection:
            return await db.operators.is_known(connection, email)

    with opened(data_dir) as run:
        if run(is_known):
            return Newcomer(email, None)
    password = _password(email, password_stdin)
    # Whether a second factor will be required of them is not the operator's to know: 8 characters are enough here.
    settings = load(data_dir=data_dir)
    products = (settings.issuer, settings.product)
    if problem := rules.passwords.problem_with(password, email=email, products=products, is_alone=False):
        raise OperatorError(problem)
    return Newcomer(email, rules.passwords.hash_password(password))


def _password(email: str, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise OperatorError(f"{email} is new and needs a password: give it with --password-stdin.")
    return str(click.prompt(f"Password for {email}", hide_input=True, confirmation_prompt=True))


def say(as_json: bool, sentence: str, **ids: UUID) -> None:
    named = {name: str(value) for name, value in ids.items()}
    click.echo(json.dumps(named) if as_json else "\n".join([sentence, *(f"{n}: {v}" for n, v in named.items())]))
