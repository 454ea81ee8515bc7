"""All settings of a process, as they are read from the environment (prefix GATEHOUSE_) and from files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from settings.limits import Limits
from settings.parts import Parts
from settings.providers import OIDC_FILE, OIDC_VARIABLE, read_all
from settings.serving import Serving
from settings.variables import PREFIX, SECRETS, SettingsError, read


# The operators' table has them in this order: pydantic takes bases from the last to the first.
class Settings(Limits, Serving, Parts):
    """The settings of one process."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")


def load() -> Settings:
    """Read the environment; raise SettingsError with one plain sentence for each wrong value."""
    given = _from_files(os.environ)
    try:
        loaded = Settings(**given, oidc=read_all(os.environ))  # type: ignore[arg-type]
    except ValidationError as error:
        sentences = []
        for problem in error.errors():
            name = PREFIX + "_".join(str(part) for part in problem["loc"][:1]).upper()
            reason = problem["msg"].removeprefix("Value error, ")
            sentences.append(f"{name} is wrong: {reason[0].lower()}{reason[1:]}.")
        raise SettingsError(" ".join(sentences)) from None
    if loaded.database_direct_url and not loaded.database_url:
        raise SettingsError(
            "GATEHOUSE_DATABASE_DIRECT_URL is set without GATEHOUSE_DATABASE_URL: give both or neither."
        )
    return loaded


def _from_files(environment: Mapping[str, str]) -> dict[str, str]:
    """The secret settings that a file holds, as GATEHOUSE_…_FILE names it. Raises SettingsError."""
    given = {}
    for name in SECRETS:
        variable = PREFIX + name.upper()
        path = environment.get(f"{variable}_FILE")
        if not path:
            continue
        if environment.get(variable):
            raise SettingsError(f"{variable} and {variable}_FILE are both set: give one of them.")
        given[name] = read(f"{variable}_FILE", path)
    return given


def unknown_variables(names: Iterable[str]) -> list[str]:
    """A sentence for each of these environment variables that looks like one of ours and is none."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    known += [OIDC_FILE, *(f"{PREFIX}{name.upper()}_FILE" for name in SECRETS)]
    return [
        f"{name} is no setting of Gatehouse; the nearest is {get_close_matches(name.upper(), known, 1, 0)[0]}."
        for name in sorted(names)
        if name.upper().startswith(PREFIX) and name.upper() not in known and not OIDC_VARIABLE.fullmatch(name)
    ]
