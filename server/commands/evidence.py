"""The commands that give an auditor evidence: a signed bundle, the key it is verified with, and the verifying."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO
from zipfile import BadZipFile

import click

import resolvers.operators.evidence
from db.pool import Database
from resolvers.operators.evidence import Window
from resolvers.operators.finding import OperatorError
from server import evidence_verifier
from server.commands.keys import ring_of
from server.commands.operators import account_option, opened
from server.commands.options import Instant, data_dir_option, load
from settings import SettingsError

STANDARD_OUTPUT = Path("-")


def _checked_key(context: click.Context, parameter: click.Parameter, public_key: str | None) -> str | None:
    """Whether it is one is no question of the bundle."""
    if public_key is not None and not evidence_verifier.KEY.fullmatch(public_key):
        raise click.BadParameter(evidence_verifier.NO_KEY, context, parameter)
    return public_key


@click.group()
def evidence() -> None:
    """Evidence for an auditor: what happened on an account, chained and signed."""


@evidence.command("export")
@account_option
@click.option("--from", "begin", type=Instant(), required=True, help="The window's beginning, ISO 8601.")
@click.option("--to", "end", type=Instant(), required=True, help="Its end, which is not in it any more.")
@click.option(
    "--out",
    "path",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    required=True,
    help="The new .zip file; - for standard output.",
)
@data_dir_option
def export(account_id: object, begin: datetime, end: datetime, path: Path, data_dir: Path | None) -> None:
    """Write the window's events, staff, policies, exceptions and counts to a new zip file, with a signature.

    Of a window of which events have been pruned, or in which something is still under way, there is none.
    """
    settings = load(data_dir=data_dir)
    ring = ring_of(settings)
    window = Window(account_id, begin, end)  # type: ignore[arg-type]

    def progress(count: int) -> None:
        click.echo(f"\r{count:,} events", nl=False, err=True)

    with _new_file(path) as file:

        async def work(database: Database) -> int:
            return await resolvers.operators.evidence.export(
                database, ring, window, file, progress, retention_days=settings.event_retention_days
            )

        with opened(data_dir) as run:
            count: int = run(work)
    is_output = path == STANDARD_OUTPUT
    where = "standard output" if is_output else path
    click.echo(f"{count:,} event(s) written to {where}, signed under key {ring.newest}.", err=is_output)


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    """The file to write to, which nobody else has made; gone again where that fails, since half a bundle is none."""
    if path == STANDARD_OUTPUT:
        if sys.stdout.isatty():
            raise click.UsageError("A bundle is no text: lead standard output to a file or another program.")
        yield sys.stdout.buffer
        return
    try:
        file = path.open("xb")
    except FileExistsError:
        raise click.UsageError(f"{path} is there already: choose another --out.") from None
    except OSError as error:
        raise click.UsageError(f"{path} cannot be made: {error.strerror}.") from None
    try:
        with file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@evidence.command("key")
@data_dir_option
def key(data_dir: Path | None) -> None:
    """Print the public keys that bundles are verified with, the newest first: id and 32 bytes in hex."""
    ring = ring_of(load(data_dir=data_dir))
    for key_id in ring.keys:
        click.echo(f"{key_id} {resolvers.operators.evidence.public_key(ring, key_id)}")


@evidence.command("verify")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False, exists=True), metavar="FILE")
@click.option(
    "--public-key",
    callback=_checked_key,
    help="What `gatehouse evidence key` printed; without it the bundle's own, looked for in this key ring.",
)
@data_dir_option
def verify(path: Path, public_key: str | None, data_dir: Path | None) -> None:
    """Find every row of a bundle that was changed, cut, added or moved. Ends with 1 when there is any."""
    whose = ""
    try:
        problems = evidence_verifier.problems_of(str(path), public_key)
        if public_key is None:
            whose = _whose(evidence_verifier.own_key(str(path)), data_dir)
    except (BadZipFile, KeyError, ValueError, AttributeError, TypeError):
        problems = [f"{path} is no bundle of evidence, or a part of it cannot be read."]
    if problems:
        raise click.ClickException("\n".join(problems))
    click.echo(f"The bundle is whole and signed{whose}.")


def _whose(public_key: str, data_dir: Path | None) -> str:
    """Which of this key ring's keys it is; or else what to do with a key that nobody has vouched for."""
    try:
        ring = ring_of(load(data_dir=data_dir))
        known = {resolvers.operators.evidence.public_key(ring, key_id): key_id for key_id in ring.keys}
    except (SettingsError, OperatorError):
        known = {}
    if public_key in known:
        return f", by the key {known[public_key]} of this key ring"
    return f" by the key that it brings, {public_key}: compare it with the one that you were given"


@evidence.command("verifier")
def verifier() -> None:
    """Print the verifier as one file of plain Python, for an auditor to read and run."""
    click.echo(Path(evidence_verifier.__file__).read_text(encoding="utf-8"), nl=False)
