"""What a setting is: a variable of the environment, with its meaning, and an error that names it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

PREFIX = "GATEHOUSE_"
# What may be kept in a file instead, under the name with _FILE.
SECRETS = ("database_url", "database_direct_url", "broker_url", "smtp_url", "secret_keys")
NONE = "none"
OR_FILE = "; or `…_FILE`"
EMBEDDED = "embedded (`up` and operators)"


def told(meaning: str, unset: str = "") -> Any:
    """What the operators' page says of a setting, and what holds while it is unset where the default does not tell."""
    return Field(description=meaning, json_schema_extra={"unset": unset} if unset else None)


class SettingsError(Exception):
    """A setting is missing or wrong; the message names the variable and what it may be."""


def read(variable: str, path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except (OSError, ValueError):
        raise SettingsError(f"{variable} is wrong: the file cannot be read.") from None
