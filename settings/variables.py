"""What a setting is: a variable with its meaning, how its text is read, and an error that names it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

PREFIX = "GATEHOUSE_"
# What may be kept in a file instead, under the name with _FILE.
SECRETS = ("database_url", "database_direct_url", "broker_url", "smtp_url", "secret_keys")
NONE = "none"
OR_FILE = "; or `…_FILE`"
EMBEDDED = "embedded (`up` and operators)"
SETTING = "setting"


@dataclass(frozen=True)
class Setting:
    """What the operators' page says of a setting, what holds while it is unset, and how the variable's text is read.

    `read` raises ValueError that tells what the text must be.
    """

    name: str
    meaning: str
    read: Callable[[str], Any]
    default: Any
    unset: str

    @property
    def variable(self) -> str:
        """The variable of the environment."""
        return PREFIX + self.name.upper()


def told(meaning: str, default: T, read: Callable[[str], T], *, unset: str = "") -> T:
    """A setting; `unset` says what holds without one where the default does not tell."""
    return field(default=default, metadata={SETTING: (meaning, read, unset)})


def settings_of(of: type) -> Iterator[Setting]:
    """The settings of a class, in its order."""
    for each in fields(of):
        if SETTING in each.metadata:
            meaning, read, unset = each.metadata[SETTING]
            yield Setting(each.name, meaning, read, each.default, unset)


class SettingsError(Exception):
    """A setting is missing or wrong; the message names the variable and what it may be."""


def read_file(variable: str, path: str) -> str:
    """What is in the file that the variable names. Raises SettingsError."""
    try:
        return Path(path).read_text().strip()
    except (OSError, ValueError):
        raise SettingsError(f"{variable} is wrong: the file cannot be read.") from None
