"""The fixtures that every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.browser import browser
from tests.commands import operate
from tests.databases import database_url, databases
from tests.debian import oldest_url, pooler_url
from tests.line import broker, line
from tests.parts import broker_url, embedded_url, gatehouse, mailbox, postgres, valkey
from tests.warm import WARM
from tests.world import cast, database, world


def pytest_xdist_auto_num_workers() -> int:
    """Two a core: the tests wait for processes as long as they compute."""
    return 2 * (os.cpu_count() or 1)


@pytest.fixture(scope="session", autouse=True)
def warm() -> Iterator[None]:
    """Ends the process that commands are forked from."""
    yield
    WARM.stop()


__all__ = [
    "broker",
    "broker_url",
    "browser",
    "cast",
    "database",
    "database_url",
    "databases",
    "embedded_url",
    "gatehouse",
    "line",
    "mailbox",
    "oldest_url",
    "operate",
    "pooler_url",
    "postgres",
    "valkey",
    "warm",
    "world",
]
