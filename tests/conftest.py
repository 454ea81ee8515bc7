"""The fixtures that every test may ask for."""

from __future__ import annotations

from tests.browser import browser
from tests.line import broker, line
from tests.parts import administrator, broker_url, database_url, gatehouse, mailbox, postgres, valkey
from tests.world import database, world

__all__ = [
    "administrator",
    "broker",
    "broker_url",
    "browser",
    "database",
    "database_url",
    "gatehouse",
    "line",
    "mailbox",
    "postgres",
    "valkey",
    "world",
]
