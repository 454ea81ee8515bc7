"""What is wrong, in one look: for whoever has restored a backup, changed a setting, or was woken at night."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from email.utils import parseaddr
from pathlib import Path

import click

import db.figures
import db.ledger
import db.looking
import db.migrate
from db.away import Plain
from db.migrate import MigrationError
from rules.sealing import KeyRing
from server.checks import LOOK_TIMEOUT_S, DatabaseError, check_pooler, plain_database_error
from server.commands.keys import ring_of
from server.commands.options import data_dir_option, load, printable
from server.local.data_dir import database_for_operator
from server.status.readiness import OK, ask_broker, key_problem, word_of
from settings import LOOPBACK_HOSTS, Settings, SettingsError
from workers.emails import on_the_wire
from workers.mailer import Mailer
from workers.verdicts import ServerError

LATE_EVENT_S = 60.0
LATE_EMAIL_S = 300.0
MOST_SKEW_S = 2.0
NOT_SET = "not set"


@click.command()
@data_dir_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
def doctor(data_dir: Path | None, as_json: bool) -> None:
    """Say what is wrong: database, migrations, keys, clock, events, emails, webhooks, broker, mail.

    Status 1 when anything is. Without GATEHOUSE_DATABASE_URL it looks at the data folder.
    """
    settings = load(data_dir=data_dir)
    found = {name: printable(word) for name, word in _look(settings).items()}
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
    for name, word in () if as_json else found.items():
        click.echo(f"{'ok   ' if word in {OK, NOT_SET} else 'WRONG'} {name:<10} {'' if word == OK else word}".rstrip())
    if any(word not in {OK, NOT_SET} for word in found.values()):
        raise SystemExit(1)


def _look(settings: Settings) -> dict[str, str]:
    ring: KeyRing | None = None
    keys = NOT_SET
    try:
        ring = ring_of(settings)
    except SettingsError as error:
        keys = str(error)
    if settings.database_url:
        found = asyncio.run(_look_at_database(settings.direct_url, ring))
        if settings.is_pooled:
            found["pooler"] = _ask_pooler(settings)
    else:
        with database_for_operator(settings.data_dir) as url:
            found = asyncio.run(_look_at_database(url, ring))
    if ring is None:
        found["keys"] = keys
    found["broker"] = asyncio.run(word_of(settings.broker_url, ask_broker))
    found["mail"] = _ask_mail(settings) if settings.smtp_url else NOT_SET
    return found


async def _look_at_database(url: str, ring: KeyRing | None) -> dict[str, str]:
    try:
        async with db.looking.looking(url, LOOK_TIMEOUT_S) as connection:
            await db.migrate.require_server(connection)
            return await _ask_database(connection, ring)
    except Exception as error:
        plain = plain_database_error(error)
        if plain is error and not isinstance(error, MigrationError):
            raise
        return {"database": str(plain)}


async def _ask_database(connection: Plain, ring: KeyRing | None) -> dict[str, str]:
    found = {"database": OK, "migrations": (await db.ledger.read(connection)).problem or OK}
    if found["migrations"] != OK:
        return found
    if ring is not None:
        found["keys"] = await key_problem(connection, ring) or OK
    found["clock"] = _skew(await connection.fetchval("SELECT clock_timestamp()")) or OK
    found |= _waiting(await db.figures.line(connection))
    hooks, due_s = await db.figures.webhooks(connection), await db.figures.oldest_due_webhook_s(connection)
    return found | {"webhooks": _webhooks(sum(n for is_ours, state, n in hooks if is_ours and state == "off"), due_s)}


def _skew(database_now: datetime) -> str | None:
    skew_s = (datetime.now(UTC) - database_now).total_seconds()
    if abs(skew_s) < MOST_SKEW_S:
        return None
    side = "ahead of" if skew_s > 0 else "behind"
    return f"this machine is {abs(skew_s):.0f} s {side} the database, whose clock is the one that counts"


def _waiting(line: db.figures.Line) -> dict[str, str]:
    events = OK
    if line.set_aside:
        events = f"{line.set_aside} set aside: see `gatehouse deliveries list --failed`"
    if line.oldest_event_s > LATE_EVENT_S:
        events = f"the oldest has not been dispatched for {line.oldest_event_s:.0f} s: do relay and worker run?"
    emails = OK
    if line.oldest_due_s > LATE_EMAIL_S:
        emails = f"the oldest has been due for {line.oldest_due_s:.0f} s: do worker and beat run?"
    return {"events": events, "emails": emails}


def _webhooks(off: int, due_s: float) -> str:
    if off:
        return f"{off} of the platform switched off, since they failed for three days: see `gatehouse webhooks list`"
    if due_s > LATE_EMAIL_S:
        return f"the oldest delivery has been due for {due_s:.0f} s: do a worker with secret keys and beat run?"
    return OK


def _ask_pooler(settings: Settings) -> str:
    try:
        check_pooler(settings)
    except (DatabaseError, SettingsError) as error:
        return str(error)
    return OK


def _ask_mail(settings: Settings) -> str:
    sender = on_the_wire(parseaddr(settings.email_from)[1])
    mailer = Mailer(settings.smtp_url, settings.own_mail_name)
    try:
        mailer.connect()
        mailer.name_sender(sender)
    except ServerError as error:
        return str(error)
    finally:
        mailer.close()
    if settings.production and _is_here(sender.rpartition("@")[2]):
        return f"nobody can answer {sender}, and many servers refuse such mail: set GATEHOUSE_EMAIL_FROM"
    return OK


def _is_here(domain: str) -> bool:
    """Whether the domain is a name or an address of whichever machine reads it."""
    host = domain.lower().strip("[]").removeprefix("ipv6:")
    return host in LOOPBACK_HOSTS or host.endswith(".localhost")
