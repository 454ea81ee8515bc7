"""Traces by OpenTelemetry, for whoever has installed the extra `otel` and names an OTLP endpoint; else nothing of it.

Attributes are names out of known sets, ids and counts: nothing that a person has typed.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

# As OpenTelemetry has them; it reads the others of its own as well: headers, sampler, resource.
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
LONGEST_GOODBYE_S = 2.0
OFF = nullcontext(None)

Kind = Literal["SERVER", "CONSUMER", "CLIENT"]

_tracer: Tracer | None = None


class TracesError(Exception):
    """Traces are wanted and cannot be had; the message is one plain sentence."""


def start(part: str) -> None:
    """Send this process's traces as those of `gatehouse-{part}`, if an endpoint is set. Raises TracesError."""
    global _tracer  # noqa: PLW0603 - a process has one tracer
    endpoint = next((name for name in ENDPOINTS if os.environ.get(name)), None)
    if endpoint is None:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise TracesError(f"{endpoint} is set, but OpenTelemetry is missing: install gatehouse[otel].") from None
    name = os.environ.get("OTEL_SERVICE_NAME") or f"gatehouse-{part}"
    provider = TracerProvider(resource=Resource.create({"service.name": name}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = provider.get_tracer("gatehouse")

    def end() -> None:
        # A collector that does not answer keeps no process from its end.
        last = threading.Thread(target=provider.shutdown, daemon=True)
        last.start()
        last.join(LONGEST_GOODBYE_S)

    atexit.register(end)


def are_on() -> bool:
    """Whether this process sends traces."""
    return _tracer is not None


def span(
    name: str, kind: Kind, parent: str | None = None, **attributes: str | int | None
) -> AbstractContextManager[Span | None]:
    """A piece of work, under the `traceparent` of another or else under the one that runs; None while traces are off.

    What it fails with is told by the error's name alone: its text may hold what a person has typed.
    """
    return OFF if _tracer is None else _span(_tracer, name, kind, parent, attributes)


@contextmanager
def _span(
    tracer: Tracer, name: str, kind: Kind, parent: str | None, attributes: Mapping[str, str | int | None]
) -> Iterator[Span]:
    from opentelemetry.trace import SpanKind, Status, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = TraceContextTextMapPropagator().extract({"traceparent": parent}) if parent else None
    known = {f"gatehouse.{key}": value for key, value in attributes.items() if value is not None}
    with tracer.start_as_current_span(
        name, context, SpanKind[kind], known, record_exception=False, set_status_on_exception=False
    ) as running:
        try:
            yield running
        except BaseException as error:
            running.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def traceparent() -> str | None:
    """The W3C traceparent of the work that runs; None while traces are off."""
    if _tracer is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")
