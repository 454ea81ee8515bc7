"""The commands that rotate keys: a new one, moving what older ones seal, and which of them may go."""

from __future__ import annotations

from pathlib import Path

import click

import resolvers.operators.keys
from db.keys import Usage
from db.pool import Database
from resolvers.operators.finding import OperatorError
from resolvers.operators.keys import Resealed
from rules.sealing import KeyRing
from server.commands.operators import opened
from server.commands.options import data_dir_option, load
from server.local.data_dir import KEYS_FILE, kept_secret_keys, new_secret_keys
from settings import Settings, SettingsError, parse_secret_keys

COLUMNS = "{:<16} {:>8} {:>12} {:>17}  {}"


@click.group()
def keys() -> None:
    """The keys that seal TOTP secrets and digest backup codes."""


@keys.command("new")
def new() -> None:
    """Print a fresh id:KEY, to be put last in GATEHOUSE_SECRET_KEYS, and in front once every API and worker has it."""
    click.echo(new_secret_keys())


@keys.command("status")
@data_dir_option
def status(data_dir: Path | None) -> None:
    """Print what depends on each key, and which keys may go."""
    ring = ring_of(load(data_dir=data_dir))
    with opened(data_dir) as run:
        used: list[Usage] = run(resolvers.operators.keys.usage)
    click.echo(COLUMNS.format("key", "factors", "enrollments", "backup code sets", "").rstrip())
    for usage in _in_order(ring, used):
        counts = (f"{count:,}" for count in (usage.factors, usage.enrollments, usage.backup_code_sets))
        click.echo(COLUMNS.format(usage.key_id, *counts, _verdict(ring, usage)))


@keys.command("reseal")
@data_dir_option
def reseal(data_dir: Path | None) -> None:
    """Move every TOTP secret under the newest key. May be interrupted and run again, while everything else runs.

    Backup codes cannot be moved: their key must stay until their owners have made new ones.
    """
    ring = ring_of(load(data_dir=data_dir))
    done = 0

    def progress(secrets: int) -> None:
        nonlocal done
        done += secrets
        click.echo(f"\r{done:,} secrets", nl=False, err=True)

    async def work(database: Database) -> tuple[Resealed, list[Usage]]:
        return await resolvers.operators.keys.reseal(database, ring, progress), await resolvers.operators.keys.usage(
            database
        )

    with opened(data_dir) as run:
        resealed, used = run(work)
    if done:
        click.echo(err=True)
    _report(ring, resealed, used)


def ring_of(settings: Settings) -> KeyRing:
    """The key ring: GATEHOUSE_SECRET_KEYS, or what `up` keeps in the data folder. Raises OperatorError and the like.

    The folder's is for the folder's own database: what it would seal in another, none of the parts there could open.
    """
    kept = None if settings.secret_keys else kept_secret_keys(settings.data_dir)
    if kept is None:
        return KeyRing(settings.keys)
    file = settings.data_dir / KEYS_FILE
    if settings.database_url:
        raise SettingsError(
            "GATEHOUSE_SECRET_KEYS is not set, and GATEHOUSE_DATABASE_URL is: give the keys of its API and workers. "
            f"Where `gatehouse up` runs these, they are in {file}, which GATEHOUSE_SECRET_KEYS_FILE may name."
        )
    try:
        return KeyRing(parse_secret_keys(kept))
    except ValueError as error:
        raise OperatorError(f"{file} is wrong: it {error}.") from None


def _report(ring: KeyRing, resealed: Resealed, used: list[Usage]) -> None:
    click.echo(f"{resealed.moved:,} TOTP secret(s) re-sealed under key {ring.newest}.")
    for usage in used:
        if usage.key_id != ring.newest and usage.backup_code_sets:
            click.echo(f"Key {usage.key_id} {_must_stay(usage)}.")
    for key_id, count in sorted(resealed.shut.items()):
        why = "the key has another value" if key_id in ring.keys else "the key is not in GATEHOUSE_SECRET_KEYS"
        click.echo(f"{count:,} TOTP secret(s) under key {key_id} do not open: {why}.", err=True)
    if resealed.shut:
        raise click.exceptions.Exit(1)


def _in_order(ring: KeyRing, used: list[Usage]) -> list[Usage]:
    by_id = {key_id: Usage(key_id, 0, 0, 0) for key_id in ring.keys} | {usage.key_id: usage for usage in used}
    return list(by_id.values())


def _verdict(ring: KeyRing, usage: Usage) -> str:
    if usage.key_id not in ring.keys:
        return "is missing: put it back into GATEHOUSE_SECRET_KEYS"
    if usage.key_id == ring.newest:
        return "seals what is new"
    if usage.factors or usage.enrollments or usage.webhooks:
        return "must stay: run `gatehouse keys reseal`"
    return _must_stay(usage) if usage.backup_code_sets else "may go"


def _must_stay(usage: Usage) -> str:
    return f"must stay: {usage.backup_code_sets:,} set(s) of backup codes depend on it until their owners make new ones"
