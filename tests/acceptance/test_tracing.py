"""Traces leave when they are asked for, by OTLP, with a caller's trace continued and nobody's query in them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cli.tracing import provider_of, start_tracing
from config.settings import read_settings
from storage.errors import SettingsError
from tests.tools import REPOSITORY, answers, free_port, wait_until

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("VOIRIE_", "OTEL_"))}
CALLER = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """An OTLP receiver of the test's own: its address and what came."""
    came: list[ExportTraceServiceRequest] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            came.append(ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", came
    server.shutdown()
    thread.join()
    server.server_close()


def test_requests_of_the_real_server_are_traced_when_asked(
    database_url: str, receiver: tuple[str, list[ExportTraceServiceRequest]], tmp_path: Path
):
    endpoint, came = receiver
    port = free_port()
    variables = {
        "PYTHONPATH": str(REPOSITORY),
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
        "VOIRIE_DATABASE__URL": database_url,
        "VOIRIE_API__PORT": str(port),
        "VOIRIE_TRACING__OTLP_ENDPOINT": endpoint,
        "VOIRIE_LOG__REQUESTS": "true",
        "VOIRIE_LOG__FORMAT": "json",
    }
    log = tmp_path / "log"
    with (
        log.open("wb") as out,
        subprocess.Popen(
            [sys.executable, "-m", "cli", "api"], env=ENVIRONMENT | variables, cwd=tmp_path, stderr=out
        ) as api,
    ):
        wait_until(lambda: answers(port) or api.poll() is not None, what="the API's port")
        answer = httpx.get(
            f"http://127.0.0.1:{port}/health/ready?near=48.84,2.55",
            headers={"traceparent": f"00-{CALLER}-00f067aa0ba902b7-01", "X-Request-ID": "asked-1"},
        )
        assert answer.status_code == 200
        api.send_signal(signal.SIGTERM)
        assert api.wait(timeout=20) == 0
    spans = [span for request in came for scope in request.resource_spans[0].scope_spans for span in scope.spans]
    (served,) = [span for span in spans if span.trace_id.hex() == CALLER and span.kind == Span.SPAN_KIND_SERVER]
    attributes = {item.key: item.value.string_value for item in served.attributes}
    assert attributes["http.route"] == "/health/ready"
    assert attributes["voirie.request_id"] == "asked-1"
    assert attributes["url.query"] == "", "queries say where people are"
    resource = {item.key: item.value.string_value for item in came[0].resource_spans[0].resource.attributes}
    assert resource["service.name"] == "voirie-api"
    lines = log.read_text(encoding="utf-8").splitlines()
    assert any(CALLER in line and "asked-1" in line and "request_served" in line for line in lines)


def test_a_share_of_traces_is_kept_and_queries_never():
    exporter = InMemorySpanExporter()
    provider = provider_of(exporter, service="voirie-test", sample_share=0.25)
    tracer = provider.get_tracer("test")
    for number in range(400):
        with tracer.start_as_current_span("GET", attributes={"url.query": f"near={number}"}):
            pass
    provider.shutdown()
    kept = exporter.get_finished_spans()
    assert 40 < len(kept) < 180
    assert {(span.attributes or {})["url.query"] for span in kept} == {""}


def test_nothing_is_traced_unless_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    start_tracing(read_settings(environment={}), service="voirie-test")
    with pytest.raises(SettingsError, match=r"tracing\.otlp_endpoint"):
        read_settings(overrides={"tracing": {"otlp_endpoint": "collector:4318"}}, environment={})
