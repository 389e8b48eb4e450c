"""Traces for OpenTelemetry, when the settings name where they go.

FastAPI makes a span of each request, collectors of each commit and workers of each job, by the OpenTelemetry API alone;
only this module knows the SDK that carries them away, and only when it is asked to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.settings import Settings
from storage.errors import SettingsError

if TYPE_CHECKING:  # optional packages
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

_LONGEST_WAIT_S = 5.0


def start_tracing(settings: Settings, *, service: str) -> None:
    """Send this process's traces to the settings' endpoint; nothing without one.

    Raises SettingsError when the packages are missing. A collector that is away costs its traces and nothing else.
    """
    endpoint = settings.tracing.otlp_endpoint
    if not endpoint:
        return
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise SettingsError(
            "tracing.otlp_endpoint is set and its packages are not installed: "
            ".venv/bin/python -m pip install --require-hashes -r requirements/tracing.txt"
        ) from error
    exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces", timeout=_LONGEST_WAIT_S)
    trace.set_tracer_provider(provider_of(exporter, service=service, sample_share=settings.tracing.sample_share))


def provider_of(exporter: SpanExporter, *, service: str, sample_share: float) -> TracerProvider:
    """Return what makes spans and hands them to `exporter` in batches, in a thread of its own."""
    from importlib.metadata import version

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    class WithoutQueries(SpanProcessor):
        """Leaves queries of requests out: they say where people are and want to go."""

        def on_start(self, span: Span, parent_context: object = None) -> None:  # noqa: ARG002 - the base class names it
            attributes = span.attributes or {}
            if "url.query" in attributes:
                span.set_attribute("url.query", "")

        def on_end(self, span: ReadableSpan) -> None:
            """Nothing to do."""

    provider = TracerProvider(
        resource=Resource.create({"service.name": service, "service.version": version("voirie")}),
        sampler=ParentBased(TraceIdRatioBased(sample_share)),
    )
    provider.add_span_processor(WithoutQueries())
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
