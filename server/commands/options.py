"""How commands read their settings: an option goes before its variable, the variable before the default."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from settings import Settings


def load(**options: object) -> Settings:
    """The settings, with the command's options put before the environment. Raises SettingsError."""
    import settings as settings_module
    from telemetry import logs

    for name, value in options.items():
        if value is not None:
            os.environ[f"GATEHOUSE_{name.upper()}"] = str(value)
    settings = settings_module.load()
    logs.configure(settings.log_level, settings.log_format)
    return settings


data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of the embedded parts [GATEHOUSE_DATA_DIR, .gatehouse].",
)


def shown(instant: datetime) -> str:
    """An instant as commands print it, to the second."""
    return instant.isoformat(timespec="seconds")


def printable(text: str) -> str:
    """Text that others wrote, as a terminal may have it: what would steer it or end the line is told by its escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def row(*cells: object) -> str:
    """A line of cells between tabs."""
    return "\t".join(printable(str(cell)) for cell in cells)


class Instant(click.ParamType[datetime]):
    """An ISO 8601 day or instant; without a zone it is UTC."""

    name = "instant"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            instant = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no instant: give ISO 8601, as in 2026-11-01 or 2026-11-01T09:00:00Z.", param, ctx)
        return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
