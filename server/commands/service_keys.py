"""The commands for service keys, by which a product's systems ask."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from uuid import UUID

import click

import resolvers.operators.service_keys
from db.service_keys import Listed
from resolvers.operators.finding import OperatorError
from resolvers.operators.service_keys import Revoked
from rules.service_keys import Right
from server.commands.operators import opened
from server.commands.options import data_dir_option, row

LONGEST_NAME = 60


@click.group("service-keys")
def service_keys() -> None:
    """Keys by which the product's systems ask: Authorization: Bearer gh_k_…"""


@service_keys.command("create")
@click.option("--name", required=True, help="What the audit log calls it. Two may share a name while one replaces one.")
@click.option(
    "--can",
    "rights",
    type=click.Choice([str(right) for right in Right]),
    multiple=True,
    required=True,
    help="What it may do; give it once for each right.",
)
@click.option("--account", "account_id", type=click.UUID, help="The one account that it is for; all without.")
@click.option("--expires", "expires_days", type=click.IntRange(1, 3650), help="After how many days it ends.")
@click.option("--json", "as_json", is_flag=True, help="Print id and key as one JSON object.")
@data_dir_option
def create(
    name: str,
    rights: tuple[str, ...],
    account_id: UUID | None,
    expires_days: int | None,
    as_json: bool,
    data_dir: Path | None,
) -> None:
    """Make a key and print it, once: only its hash is kept."""
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise OperatorError(f"A service key's name must have 1 to {LONGEST_NAME} printable characters.")
    if Right.SCIM in rights and account_id is None:
        raise OperatorError("A service key for SCIM is for one account: give --account.")
    wanted = [right for right in Right if right in rights]
    with opened(data_dir) as run:
        key_id, key = run(
            lambda database: resolvers.operators.service_keys.create(database, name, wanted, account_id, expires_days)
        )
    if as_json:
        click.echo(json.dumps({"id": str(key_id), "key": key}))
    else:
        click.echo(key)
        click.echo(f"This is shown once. Its id, to revoke it by: {key_id}", err=True)


@service_keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@data_dir_option
def list_keys(as_json: bool, data_dir: Path | None) -> None:
    """List the keys that are not revoked, with what they may do and when they were last used."""
    with opened(data_dir) as run:
        found: list[Listed] = run(resolvers.operators.service_keys.listed)
    for key in found:
        if as_json:
            click.echo(json.dumps(asdict(key), default=str))
            continue
        ends = "expired" if key.is_expired else f"until {_day(key.expires_at)}" if key.expires_at else "no end"
        used = f"used {_day(key.last_used_at)}" if key.last_used_at else "never used"
        account = key.account_id or "all accounts"
        click.echo(row(key.id, key.name, ",".join(key.rights), account, ends, used))


@service_keys.command("revoke")
@click.argument("key")
@click.option(
    "--end-sessions/--keep-sessions",
    "ends",
    default=None,
    help="Whether the sessions that it has begun end. Unless given, they end where no other key of its name and "
    "account with the right sign-in is there in its place.",
)
@data_dir_option
def revoke(key: str, ends: bool | None, data_dir: Path | None) -> None:
    """End a key at once, by its id from `list`, or by its name where no other has it.

    After a leak give --end-sessions, also when its successor is at work already. With it the id of a key that was
    revoked before may be given, to end what that one had begun. Prints whose MFA was set up through it: reset these.
    """
    with opened(data_dir) as run:
        revoked: Revoked = run(lambda database: resolvers.operators.service_keys.revoke(database, key, ends))
    click.echo(f"Service key {revoked.name} is revoked.")
    if revoked.ended is None:
        click.echo("The sessions that it had begun go on; to end them, say so: --end-sessions, by its id.", err=True)
    elif revoked.ended:
        click.echo(f"Sessions that it had begun and that end with it: {revoked.ended}.", err=True)
    if revoked.set_up:
        click.echo(f"MFA that was set up through it, after a leak reset these: {len(revoked.set_up)}.", err=True)
        for address in revoked.set_up:
            click.echo(address)


def _day(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d}"
