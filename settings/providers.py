"""The OpenID providers that people may sign in at: variables of their own, GATEHOUSE_OIDC_<NAME>_…, or a file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from rules.oidc import ProviderConfig
from settings.checks import LOOPBACK_HOSTS, has_host, parts_of
from settings.variables import PREFIX, SettingsError, read_file

OIDC_PARTS = {
    "ISSUER": "an OpenID provider that people may sign in at, as in `GATEHOUSE_OIDC_GOOGLE_ISSUER`; any number",
    "CLIENT_ID": "what the provider calls this product",
    "CLIENT_SECRET": "the secret that it gave",
}
OIDC_FILE = f"{PREFIX}OIDC_FILE"
OIDC_FILE_MEANING = 'a JSON file of such providers: `{"google": {"issuer": …, "client_id": …, "client_secret": …}}`'
OIDC_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
OIDC_VARIABLE = re.compile(rf"GATEHOUSE_OIDC_([A-Z][A-Z0-9_]{{0,30}}?)_({'|'.join(OIDC_PARTS)})(_FILE)?")


def require_safe_issuers(providers: tuple[ProviderConfig, ...], *, production: bool) -> None:
    """Raise ValueError for an issuer that could be anybody."""
    for provider in providers:
        parts = parts_of(provider.issuer)
        is_local = parts.hostname in LOOPBACK_HOSTS and not production
        if not (parts.scheme == "https" or (parts.scheme == "http" and is_local)) or not has_host(provider.issuer):
            raise ValueError(f"the issuer of {provider.name} must start with https://")


def read_all(environment: Mapping[str, str]) -> tuple[ProviderConfig, ...]:
    """The providers that people may sign in at, by name: of the file, then of variables. Raises SettingsError."""
    path = environment.get(OIDC_FILE)
    found = _from_file(read_file(OIDC_FILE, path)) if path else {}
    in_file = set(found)
    for variable, value in sorted(environment.items()):
        named = OIDC_VARIABLE.fullmatch(variable)
        if named is None or not value:
            continue
        name, part, file = named.groups()
        if name.lower() in in_file:
            raise SettingsError(f"{variable} is set, and {OIDC_FILE} has {name.lower()}, too: give one of them.")
        provider = found.setdefault(name.lower(), {})
        if part.lower() in provider:
            raise SettingsError(f"{variable} and {variable.removesuffix('_FILE')} are both set: give one of them.")
        provider[part.lower()] = read_file(variable, value) if file else value.strip()
    for name, parts in found.items():
        if missing := {part.lower() for part in OIDC_PARTS} - parts.keys():
            raise SettingsError(f"{PREFIX}OIDC_{name.upper()}_{min(missing).upper()} is not set.")
    return tuple(ProviderConfig(name, **parts) for name, parts in sorted(found.items()))


def _from_file(text: str) -> dict[str, dict[str, str]]:
    """The providers of a file. Raises SettingsError, which never shows what is in it."""
    wanted = {part.lower() for part in OIDC_PARTS}
    try:
        given = json.loads(text)
        is_right = all(
            OIDC_NAME.fullmatch(name)
            and parts.keys() == wanted
            and all(isinstance(v, str) and v for v in parts.values())
            for name, parts in given.items()
        )
    except (ValueError, AttributeError, RecursionError):
        is_right = False
    if not is_right:
        raise SettingsError(
            f"{OIDC_FILE} is wrong: must be a JSON object of providers by name, as in "
            '{"google": {"issuer": "…", "client_id": "…", "client_secret": "…"}}.'
        )
    return {name: {part: value.strip() for part, value in parts.items()} for name, parts in given.items()}
