"""Every setting of Gatehouse, once, from the environment (prefix GATEHOUSE_)."""

from settings.checks import LOOPBACK_HOSTS, parse_secret_keys
from settings.providers import OIDC_FILE
from settings.reading import Settings, load, unknown_variables
from settings.table import described
from settings.variables import SettingsError

__all__ = [
    "LOOPBACK_HOSTS",
    "OIDC_FILE",
    "Settings",
    "SettingsError",
    "described",
    "load",
    "parse_secret_keys",
    "unknown_variables",
]
