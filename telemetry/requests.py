"""One request on its way: what is told of it in the access log, the metrics and whatever is logged meanwhile."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
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


class _Watched(AbstractContextManager[Observed]):
    """One request while it is under way; no generator, which would cost as much as all the rest."""

    def __init__(self, request: Observed) -> None:
        self._request = request

    def __enter__(self) -> Observed:
        self._before = _current.set(self._request)
        return self._request

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if error is not None and self._request.kind != SUBSCRIPTION:  # which ends when its client goes
            self._request.end("INTERRUPTED")
        _current.reset(self._before)
        _tell(self._request)


def observed(
    request_id: str, transport: str, *, is_graphql: bool, traceparent: str | None = None
) -> AbstractContextManager[Observed]:
    """Watch over one request, and tell of it when it is answered."""
    watched = _Watched(Observed(request_id, transport, OTHER if is_graphql else None))
    return _traced(watched, traceparent) if traces.are_on() else watched


@contextmanager
def _traced(watched: _Watched, traceparent: str | None) -> Iterator[Observed]:
    with (
        watched as request,
        traces.span(request.transport, "SERVER", traceparent, request_id=request.request_id) as span,
    ):
        try:
            yield request
        finally:
            if span is not None and request.operation is not None:
                span.update_name(f"{request.kind} {request.operation}".strip())
                span.set_attribute("graphql.operation.type", request.kind)
                span.set_attribute("gatehouse.outcome", request.outcome)


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
    if log.isEnabledFor(logging.INFO):
        _write(request, seconds)


def _write(request: Observed, seconds: float) -> None:
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
