"""The metrics, each once: names, units and labels as Prometheus wants them, and no label that a stranger can fill."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric

QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SMTP_OUTCOMES = {
    "RefusedError": "refused",
    "UnsendableError": "refused",
    "DeferredError": "deferred",
    "LeftError": "deferred",
    "ServerError": "unavailable",
}
SLOW = (0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60)

REQUESTS = Counter(
    "gatehouse_requests",
    "GraphQL operations that were answered, by operation name and outcome.",
    ("operation", "outcome"),
)
REQUEST_SECONDS = Histogram(
    "gatehouse_request_duration_seconds",
    "Seconds from a GraphQL operation's arrival to its answer; subscriptions are not counted.",
    ("operation", "outcome"),
    buckets=QUICK,
)
SUBSCRIPTIONS_OPEN = Gauge("gatehouse_subscriptions_open", "Subscriptions that this process serves now.")
CHALLENGES = Counter(
    "gatehouse_challenges", "Challenges that were answered, by kind of second factor and result.", ("kind", "result")
)
LOCK_OUTS = Counter("gatehouse_lock_outs", "Times that guessing was locked, by what was guessed at.", ("kind",))
ARGON2_QUEUE = Gauge("gatehouse_argon2_queue", "Password and backup code hashes that run or wait in this process.")
SMTP_ATTEMPTS = Counter("gatehouse_smtp_attempts", "Emails handed to the mail server, by outcome.", ("outcome",))
SMTP_SECONDS = Histogram(
    "gatehouse_smtp_duration_seconds",
    "Seconds that the mail server took for one email.",
    ("outcome",),
    buckets=SLOW,
)


@contextmanager
def challenge(kind: str) -> Iterator[None]:
    """Count one answer to a challenge, by what came of it."""
    result = "accepted"
    try:
        yield
    except BaseException as error:
        result = type(error).__name__
        raise
    finally:
        CHALLENGES.labels(kind, result).inc()


@contextmanager
def smtp() -> Iterator[None]:
    """Count one email handed to the mail server, by what came of it."""
    began_at, outcome = time.perf_counter(), "sent"
    try:
        yield
    except BaseException as error:
        outcome = SMTP_OUTCOMES.get(type(error).__name__, "broken")
        raise
    finally:
        SMTP_ATTEMPTS.labels(outcome).inc()
        SMTP_SECONDS.labels(outcome).observe(time.perf_counter() - began_at)


class Pool(Protocol):
    """What is asked of a connection pool."""

    def get_size(self) -> int:
        """Connections that are open."""
        ...

    def get_idle_size(self) -> int:
        """Those of them that nobody uses."""
        ...

    def get_max_size(self) -> int:
        """How many there may be."""
        ...


class Pools:
    """The pools of this process, looked at when somebody asks."""

    def __init__(self) -> None:
        self._pools: list[Pool] = []

    def add(self, pool: Pool) -> None:
        """Count this one from now on."""
        self._pools.append(pool)

    def remove(self, pool: Pool) -> None:
        """Count it no more."""
        self._pools.remove(pool)

    def collect(self) -> Iterator[Metric]:
        """For the client library."""
        pools = list(self._pools)
        idle = sum(pool.get_idle_size() for pool in pools)
        states = GaugeMetricFamily(
            "gatehouse_database_pool_connections", "Connections of this process's pool, by state.", labels=["state"]
        )
        states.add_metric(["idle"], idle)
        states.add_metric(["used"], sum(pool.get_size() for pool in pools) - idle)
        yield states
        most = GaugeMetricFamily("gatehouse_database_pool_limit", "Connections that this process's pool may open.")
        most.add_metric([], sum(pool.get_max_size() for pool in pools))
        yield most


class Figures:
    """What the database was last seen to hold; nothing while it cannot be asked."""

    def __init__(self) -> None:
        self.metrics: Iterable[Metric] = ()

    def collect(self) -> Iterable[Metric]:
        """For the client library."""
        return self.metrics


POOLS = Pools()
FIGURES = Figures()
REGISTRY.register(POOLS)
REGISTRY.register(FIGURES)
