"""All settings of a process, as they are read from the environment (prefix GATEHOUSE_) and from files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from settings.limits import Limits
from settings.parts import Parts
from settings.providers import OIDC_FILE, OIDC_VARIABLE, read_all
from settings.serving import Serving
from settings.variables import PREFIX, SECRETS, SettingsError, read_file, settings_of


# The operators' table has them in this order: fields come from the last base to the first.
@dataclass(frozen=True, kw_only=True, repr=False)
class Settings(Limits, Serving, Parts):
    """The settings of one process."""


def load() -> Settings:
    """Read the environment; raise SettingsError with one plain sentence for each wrong value."""
    texts = {name.upper(): text for name, text in os.environ.items()} | _from_files(os.environ)
    values: dict[str, Any] = {"oidc": read_all(os.environ)}
    wrong = {}
    for setting in settings_of(Settings):
        if (text := texts.get(setting.variable)) is None:
            continue
        try:
            values[setting.name] = setting.read(text)
        except ValueError as error:
            wrong[setting.name] = str(error)
    loaded = Settings(**values)
    wrong = loaded.wrong_together() | wrong
    if wrong:
        raise SettingsError(" ".join(f"{PREFIX}{name.upper()} is wrong: {reason}." for name, reason in wrong.items()))
    if loaded.database_direct_url and not loaded.database_url:
        raise SettingsError(
            "GATEHOUSE_DATABASE_DIRECT_URL is set without GATEHOUSE_DATABASE_URL: give both or neither."
        )
    return loaded


def _from_files(environment: Mapping[str, str]) -> dict[str, str]:
    """The secret settings that a file holds, as GATEHOUSE_…_FILE names it, by variable. Raises SettingsError."""
    given = {}
    for name in SECRETS:
        variable = PREFIX + name.upper()
        path = environment.get(f"{variable}_FILE")
        if not path:
            continue
        if environment.get(variable):
            raise SettingsError(f"{variable} and {variable}_FILE are both set: give one of them.")
        given[variable] = read_file(f"{variable}_FILE", path)
    return given


def unknown_variables(names: Iterable[str]) -> list[str]:
    """A sentence for each of these environment variables that looks like one of ours and is none."""
    from difflib import get_close_matches

    known = [setting.variable for setting in settings_of(Settings)]
    known += [OIDC_FILE, *(f"{PREFIX}{name.upper()}_FILE" for name in SECRETS)]
    return [
        f"{name} is no setting of Gatehouse; the nearest is {get_close_matches(name.upper(), known, 1, 0)[0]}."
        for name in sorted(names)
        if name.upper().startswith(PREFIX) and name.upper() not in known and not OIDC_VARIABLE.fullmatch(name)
    ]
