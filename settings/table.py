"""Each setting in a line, for the operators' page and the command line."""

from __future__ import annotations

from settings.providers import OIDC_FILE, OIDC_FILE_MEANING, OIDC_PARTS
from settings.reading import Settings
from settings.variables import NONE, OR_FILE, PREFIX, SECRETS, settings_of


def described() -> list[tuple[str, str, str]]:
    """Each variable, what it means, and what holds while it is unset."""
    found = []
    for setting in settings_of(Settings):
        if setting.name == "pages":  # beside which a person signs in
            found += [(f"{PREFIX}OIDC_<NAME>_{part}", meaning + OR_FILE, NONE) for part, meaning in OIDC_PARTS.items()]
            found.append((OIDC_FILE, OIDC_FILE_MEANING, NONE))
        meaning = f"{setting.meaning}{OR_FILE if setting.name in SECRETS else ''}"
        found.append((setting.variable, meaning, setting.unset or _shown(setting.default)))
    return found


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, tuple) and default:
        return f"`{','.join(str(part) for part in default)}`"
    return NONE if default in {None, "", ()} else f"`{default}`"
