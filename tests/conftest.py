"""The fixtures that every test may ask for."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest

from tests import used
from tests.browser import browser
from tests.commands import operate
from tests.databases import database_url, databases, oldest_databases
from tests.debian import oldest_url, pooler_url
from tests.line import broker, line
from tests.parts import broker_url, embedded_url, gatehouse, mailbox, postgres, valkey
from tests.world import cast, costly, database, world

# Each collection looks at whatever was made since the one before: less often costs memory, and a test has a lot.
GARBAGE_THRESHOLDS = (50_000, 20, 50)

gc.set_threshold(*GARBAGE_THRESHOLDS)


def pytest_xdist_auto_num_workers() -> int:
    """Three a core: most of them wait for processes, and with two a core each was idle for a fifth of a run."""
    return 3 * (os.cpu_count() or 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Deal the long ones to the beginning of each worker's share, as xdist cuts it: last, they keep all waiting."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long = [item for item in items if item.get_closest_marker("long")]
    others = [item for item in items if item not in set(long)]
    dealt: list[pytest.Item] = []
    for worker in range(workers):
        own = long[worker::workers]
        rest = max(0, (len(items) - len(dealt)) // (workers - worker) - len(own))
        dealt += own + others[:rest]
        del others[:rest]
    items[:] = dealt + others


def pytest_collection_finish() -> None:
    """What was loaded until now stays, and no collection need look at it."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def listening() -> None:
    """What this process itself writes is looked at, too."""
    used.listen()


@pytest.fixture(autouse=True)
def nothing_secret_is_written() -> Iterator[None]:
    """No process that the suite starts, nor this one, writes a secret that the test has used."""
    used.begin()
    yield
    assert used.found() == []


__all__ = [
    "broker",
    "broker_url",
    "browser",
    "cast",
    "costly",
    "database",
    "database_url",
    "databases",
    "embedded_url",
    "gatehouse",
    "line",
    "listening",
    "mailbox",
    "nothing_secret_is_written",
    "oldest_databases",
    "oldest_url",
    "operate",
    "pooler_url",
    "postgres",
    "valkey",
    "world",
]
