"""One request on its way: what is told of it in the access log, the metrics and whatever is logged meanwhile."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache

from prometheus_client import Counter, Histogram

from telemetry import metrics, traces

OTHER = "other"
OK = "OK"
SUBSCRIPTION = "subscription"

log = logging.getLogger("access")


@dataclass
class Observed:
    """A request, or an operation of a socket. `operation` is one of a known set of names, or OTHER."""

    request_id: str
    transport: str
    operation: str | None = None
    kind: str = ""
    outcome: str = OK
    began_at: float = field(default_factory=time.perf_counter)
    # Where it comes from and by what its person was recognised, as events tell it.
    origin: dict[str, str] = field(default_factory=dict)

    def end(self, outcome: str) -> None:
        """It comes to this: the name of a failure, or the code of an error. The first one counts."""
        if self.outcome == OK:
            self.outcome = outcome


_current: ContextVar[Observed | None] = ContextVar("request", default=None)


def current() -> Observed | None:
    """The request that this code runs for."""
    return _current.get()


@contextmanager
def observed(
    request_id: str, transport: str, *, is_graphql: bool, traceparent: str | None = None
) -> Iterator[Observed]:
    """Watch over one request, and tell of it when it is answered."""
    request = Observed(request_id, transport, OTHER if is_graphql else None)
    token = _current.set(request)
    try:
        with traces.span(transport, "SERVER", traceparent, request_id=request_id) as span:
            try:
                yield request
            finally:
                if span is not None and request.operation is not None:
                    span.update_name(f"{request.kind} {request.operation}".strip())
                    span.set_attribute("graphql.operation.type", request.kind)
                    span.set_attribute("gatehouse.outcome", request.outcome)
    except BaseException:
        if request.kind != SUBSCRIPTION:  # which ends when its client goes
            request.end("INTERRUPTED")
        raise
    finally:
        _current.reset(token)
        _tell(request)


def chosen(operation: str, kind: str) -> None:
    """The request runs this operation, a query, mutation or subscription."""
    if request := current():
        if kind == SUBSCRIPTION and request.kind != SUBSCRIPTION:
            metrics.SUBSCRIPTIONS_OPEN.inc()
        request.operation, request.kind = operation, kind


def comes_from(**facts: str | None) -> None:
    """Add to where the request comes from; what is not known is left out."""
    if request := current():
        request.origin |= {name: fact for name, fact in facts.items() if fact is not None}


def ended(outcome: str) -> None:
    """The request that this code runs for, if any, comes to this."""
    if request := current():
        request.end(outcome)


# Finding them by their labels, out of known sets both, takes longer than counting.
@cache
def _number(operation: str, outcome: str) -> Counter:
    return metrics.REQUESTS.labels(operation, outcome)


@cache
def _seconds(operation: str, outcome: str) -> Histogram:
    return metrics.REQUEST_SECONDS.labels(operation, outcome)


def _tell(request: Observed) -> None:
    seconds = time.perf_counter() - request.began_at
    if request.operation is not None:
        _number(request.operation, request.outcome).inc()
        if request.kind == SUBSCRIPTION:
            metrics.SUBSCRIPTIONS_OPEN.dec()
        else:
            _seconds(request.operation, request.outcome).observe(seconds)
    log.info(
        "answered",
        extra={
            "request_id": request.request_id,
            "transport": request.transport,
            "operation": request.operation or "-",
            "outcome": request.outcome,
            "duration_ms": round(seconds * 1000, 1),
        },
    )
