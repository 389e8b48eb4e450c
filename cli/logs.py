"""Logging: events with fields, to standard error, as text for people or JSON lines for machines."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any, Literal

import structlog

_TRACES = frozenset({"exception", "stack"})


def configure_logging(*, level: str, form: Literal["text", "json"], traced: bool = False) -> None:
    """Send structlog's and the libraries' events to standard error, in one form; `traced`: with their trace's id."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        *([_add_trace_id] if traced else []),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    if form == "json":
        renderers: list[structlog.typing.Processor] = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_to_json),
        ]
    else:
        # The usual formatter of exceptions writes local variables out, and with them passwords and payloads.
        plain = structlog.dev.plain_traceback
        renderers = [
            _hold_to_one_line,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain),
        ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # These tell their own steps at "info"; ours are enough.
    for chatty in ("httpx", "httpcore", "alembic", "procrastinate", "uvicorn.access", "psycopg.pool"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _add_trace_id(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    from opentelemetry import trace

    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
    return event


def _hold_to_one_line(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Write out what is not printable, in what somebody else may have said: all but our own traces."""
    for name, told in event.items():
        if isinstance(told, str) and not told.isprintable() and name not in _TRACES:
            event[name] = _printable(told)
    return event


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)


def _to_json(event: Any, **_options: Any) -> str:
    """Return a line of JSON, with what a terminal would obey escaped: the same text for who parses it."""
    line = json.dumps(event, ensure_ascii=False, default=str)
    return line if line.isprintable() else _printable(line)
