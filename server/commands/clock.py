"""Letting time pass, to watch grace periods, reminders and deadlines."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import click

from db.pool import Database
from resolvers.operators.finding import OperatorError
from server.commands.operators import opened
from server.commands.options import data_dir_option, load
from server.local import clock as clocks
from server.local import postgres
from server.local.data_dir import prepare
from workers.alerts import tell_gathered
from workers.digests import write_digests
from workers.reminders import remind

DURATION = re.compile(r"(\d{1,4})([wdhm])")
UNITS = {"w": timedelta(weeks=1), "d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}


class Duration(click.ParamType[timedelta]):
    """A time such as 7d, 36h or 2w."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        found = DURATION.fullmatch(str(value))
        if not found or not int(found[1]):
            self.fail("give a time as in 7d, 36h, 30m or 2w", param, ctx)
        return int(found[1]) * UNITS[found[2]]


@click.group()
def clock() -> None:
    """Let time pass in the database of `gatehouse up`."""


@clock.command()
@click.argument("passed", metavar="TIME", type=Duration())
@data_dir_option
def advance(passed: timedelta, data_dir: Path | None) -> None:
    """Let TIME pass, as in 7d, 36h or 30m: grace periods run, reminders come due, sessions and links end.

    Everything in the database is moved back by that much. Codes of authenticator apps follow the real time: they go on.
    """
    settings = load(data_dir=data_dir)
    if settings.production or settings.database_url:
        raise OperatorError("The clock moves only in the database that `gatehouse up` brings, and never in production.")
    if not postgres.is_running(prepare(settings.data_dir)):
        raise OperatorError(f"No `gatehouse up` runs in the data folder {settings.data_dir}.")

    async def record(database: Database) -> int:
        await tell_gathered(database)
        await write_digests(database)
        return await remind(database, settings.reminder_thresholds)

    asyncio.run(clocks.let_pass(postgres.url(prepare(settings.data_dir)), passed))
    with opened(data_dir) as run:
        recorded = run(record)
    click.echo(f"{passed} passed. Reminders and ends of grace periods that came due: {recorded}.")
