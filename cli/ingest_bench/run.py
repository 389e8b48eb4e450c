"""The measurement from beginning to end, on one broker and one database server."""

from __future__ import annotations

import os
import tempfile
import time
import uuid
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import typer

from cli.ingest_bench.latency import measure_latency
from cli.ingest_bench.messages import Stream
from cli.ingest_bench.options import BenchOptions
from cli.ingest_bench.readers import Bench
from cli.ingest_bench.services import Broker, DatabaseServer, open_broker, open_database_server
from cli.ingest_bench.town import provision
from config.settings import Settings

_PER = 10_000
_PEAK_SHARE = 0.1


def measure(settings: Settings, options: BenchOptions) -> dict[str, Any]:
    """Return what was measured, as `voirie bench ingest --json` prints it."""
    began_s = time.monotonic()
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="voirie-bench-", ignore_cleanup_errors=True))
        )
        _say("starting the broker and the database")
        broker = stack.enter_context(open_broker(options.broker_url, folder=folder, settings=settings))
        server = stack.enter_context(open_database_server(options.database_url, folder=folder))
        stream = Stream.of(f"bench-{uuid.uuid4().hex[:8]}", options.backlog)
        template = stack.enter_context(server.template(partial(provision, since=stream.began_at)))
        bench = Bench(settings=settings, broker=broker, server=server, template=template, stream=stream, folder=folder)
        result = _measure(bench, options)
    described = _described(settings, broker, server) | {"seconds": round(time.monotonic() - began_s, 1)}
    return result | described


def _measure(bench: Bench, options: BenchOptions) -> dict[str, Any]:
    small, backlog = options.small_backlog, options.backlog
    _say(f"a collector reads a backlog of {small:,} messages")
    bench.open_session("small")
    bench.publish(small)
    small_reading = bench.read(["small"], small)

    # One publication waits in the session of each reader: they read the same messages from the same broker.
    sharing = options.collectors > 1 and bench.broker.shares
    group = [f"shared-{number}" for number in range(options.collectors)] if sharing else []
    _say(f"publishing {backlog:,} messages to the sessions of {3 + sharing} readers")
    for client in ("bare-1", "bare-2"):
        bench.open_bare_session(client)
    bench.open_session("one")
    for client in group:
        bench.open_session(client, shared=True)
    published = bench.publish(backlog)

    _say("the bare subscriber reads")
    bare = [bench.read_bare("bare-1", backlog)]
    _say("one collector reads")
    one = bench.read(["one"], backlog)
    collectors = {"1": round(one.per_s)}
    if group:
        _say(f"{len(group)} collectors read")
        collectors[str(len(group))] = round(bench.read(group, backlog, shared=True).per_s)
    # Twice, before and after: what else the machine does changes meanwhile.
    _say("the bare subscriber reads again")
    bare.append(bench.read_bare("bare-2", backlog))

    steady_per_s = max(1.0, one.per_s * _PEAK_SHARE)
    _say(f"publishing {steady_per_s:,.0f} messages a second to a collector that waits")
    latency = measure_latency(bench, rate_per_s=steady_per_s, seconds=options.seconds)

    bare_rates = [run.messages / run.seconds for run in bare]
    bare_per_s = sum(bare_rates) / len(bare_rates)
    return {
        "bare_per_s": round(bare_per_s),
        "collector_per_s": round(one.per_s),
        "ratio": round(one.per_s / bare_per_s, 3),
        "collectors": collectors,
        "cpu_s_per_10k": {
            "broker": _rounded(one.broker_s),
            "publisher": _rounded(published.processor_s * _PER / published.acknowledged),
            "collector": _rounded(one.collector_s),
            "database": _rounded(one.database_s),
            "bare": _rounded(sum(run.processor_s for run in bare) * _PER / sum(run.messages for run in bare)),
        },
        "latency_ms": {
            "p50": latency.p50_ms,
            "p99": latency.p99_ms,
            "rate_per_s": round(latency.rate_per_s),
            "messages": latency.messages,
        },
        "peak_rss_mb": round(one.peak_rss_mb, 1),
        "peak_rss_mb_by_backlog": {
            str(small): round(small_reading.peak_rss_mb, 1),
            str(backlog): round(one.peak_rss_mb, 1),
        },
        "bare_runs_per_s": [round(rate) for rate in bare_rates],
        "published_per_s": round(published.acknowledged / published.seconds),
        "messages": backlog,
    }


def _described(settings: Settings, broker: Broker, server: DatabaseServer) -> dict[str, Any]:
    """Return what it was measured on."""
    return {
        "broker": broker.kind,
        "database": server.kind,
        "database_version": server.version,
        "batch_messages": settings.ingest.batch_messages,
        "batch_wait_ms": settings.ingest.batch_wait_ms,
        "processors": os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _say(what: str) -> None:
    """Tell the progress, on standard error."""
    typer.echo(f"bench: {what}", err=True)
