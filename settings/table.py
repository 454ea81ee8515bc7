"""Each setting in a line, for the operators' page and the command line."""

from __future__ import annotations

from settings.providers import OIDC_FILE, OIDC_FILE_MEANING, OIDC_PARTS
from settings.reading import Settings
from settings.variables import NONE, OR_FILE, PREFIX, SECRETS


def described() -> list[tuple[str, str, str]]:
    """Each variable, what it means, and what holds while it is unset."""
    found = []
    for name, field in Settings.model_fields.items():
        if field.description:
            extra = field.json_schema_extra
            unset = str(extra["unset"]) if isinstance(extra, dict) else _shown(field.default)
            meaning = f"{field.description}{OR_FILE if name in SECRETS else ''}"
            found.append((f"{PREFIX}{name.upper()}", meaning, unset))
        else:
            found += [(f"{PREFIX}OIDC_<NAME>_{part}", meaning + OR_FILE, NONE) for part, meaning in OIDC_PARTS.items()]
            found.append((OIDC_FILE, OIDC_FILE_MEANING, NONE))
    return found


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, tuple) and default:
        return f"`{','.join(str(part) for part in default)}`"
    return NONE if default in {None, "", ()} else f"`{default}`"
