"""Traces: one from the mutation over its event and its task to the mail server, at a collector that speaks OTLP."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from telemetry import traces
from tests.operations import COMPLETE
from tests.people import PASSWORD, email
from tests.running.conftest import Parts
from tests.waiting import until

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass
class Spans:
    """What a collector has been told: the spans, each with the name of the part that it is of."""

    url: str = ""
    told: list[tuple[str, Any]] = field(default_factory=list)

    def of(self, trace_id: str) -> dict[str, tuple[str, Any]]:
        """The spans of one trace by their names, each with its part."""
        return {span.name: (part, span) for part, span in self.told if span.trace_id.hex() == trace_id}


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spans]:
    """A server that takes traces by OTLP over HTTP, and to which every part that is started sends its own."""
    spans = Spans()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert self.path == "/v1/traces"
            for told in ExportTraceServiceRequest.FromString(body).resource_spans:
                names = {each.key: each.value.string_value for each in told.resource.attributes}
                for scope in told.scope_spans:
                    spans.told.extend((names["service.name"], span) for span in scope.spans)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    spans.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", spans.url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    yield spans
    server.shutdown()
    server.server_close()


async def test_one_trace_leads_from_a_mutation_to_its_email_and_holds_nothing_secret(
    parts: Parts, collector: Spans
) -> None:
    for part in ("serve", "relay", "worker", "beat"):
        await parts.start(part)
    world = parts.line.world
    mia = await world.sign_in("mia")
    mia.headers["traceparent"] = CALLER
    factor = await world.enroll(mia)
    other, challenge = await world.challenge("mia")
    await other.do(COMPLETE, token=challenge, code={"backupCode": factor.backup_codes[0]})
    await parts.line.until_all("sent", 2)
    trace_id = CALLER.split("-")[1]
    wanted = {
        "mutation beginMfaEnrollment": "gatehouse-api",
        "mutation verifyAndEnableMfa": "gatehouse-api",
        "dispatch MFA_ENABLED": "gatehouse-worker",
        "send": "gatehouse-worker",
    }
    await until(lambda: collector.of(trace_id).keys() >= wanted.keys(), lambda: str(list(collector.of(trace_id))))
    found = collector.of(trace_id)
    assert {name: part for name, (part, _) in found.items()} == wanted
    mutation = found["mutation verifyAndEnableMfa"][1]
    assert mutation.parent_span_id.hex() == CALLER.split("-")[2]
    kept = await world.database.fetchval("SELECT traceparent FROM events WHERE type = 'MFA_ENABLED'")
    assert kept == f"00-{trace_id}-{mutation.span_id.hex()}-01"
    assert found["dispatch MFA_ENABLED"][1].parent_span_id == found["send"][1].parent_span_id == mutation.span_id
    told = " ".join(f"{span.name} {[str(each) for each in span.attributes]}" for _, span in collector.told)
    for secret in (PASSWORD, factor.secret, str(mia.token), challenge, *factor.backup_codes, email("mia"), "@"):
        assert secret not in told


async def test_a_collector_that_is_away_holds_up_nobody(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    await parts.start("serve")
    await parts.line.world.sign_in("mia")
    assert parts.processes["serve"].stop() == 0


async def test_without_an_endpoint_there_are_none(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in traces.ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    await parts.start("serve")
    await parts.line.world.enroll(await parts.line.world.sign_in("mia"))
    assert await parts.line.database.fetchval("SELECT count(*) FROM events WHERE traceparent IS NOT NULL") == 0


def test_where_the_extra_is_missing_a_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(traces.TracesError) as raised:
        traces.start("api")
    assert str(raised.value) == (
        "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is missing: install gatehouse[otel]."
    )
